"""Takes pictures of one view at any defocus and exposure, for a fraction of the cost of the twin's camera.

The frame is drawn at half size (`optics.binned`) and shrunk by perception's own `working_image`, so
that it holds the same numbers as a rendering at 2048 px, up to noise; `check` measures the difference.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.cache.axes import Grid
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensProfile
from dasha_ros.optics.sensor import image_illuminance_lx
from dasha_ros.perception.image import working_image
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import Scene
from dasha_ros.twin.stress.disturbance import Disturbance
from dasha_ros.twin.stress.point_spread import point_spread

FRAME = (2048, 1088)
"""Width and height of the camera's frame [px]."""
HALF = (1024, 544)
MID_GREY = 100.0
"""Mean grey level of a well exposed picture: the middle of Eq. 7's best interval."""
REFERENCE_LX = 100.0
"""Light in which cells are exposed. With the product of light and time given, only the dark
current knows the difference: 24 e- of 6,750 at the longest exposure."""

Grey = NDArray[np.uint8]
Light = NDArray[np.float32]


class ViewCamera:
    """Takes pictures of one scene, focused at will, as perception's working images."""

    def __init__(
        self,
        scene: Scene,
        layer: int,
        lens: LensProfile,
        readout: HalfSizeReadout,
        disturbance: Disturbance | None = None,
        *,
        chromatic_dioptres: float | None = None,
    ) -> None:
        """Read the photographs.

        Args:
            scene: What stands before the camera.
            layer: The layer that defocus is measured from.
            lens: Aperture and focal length.
            readout: Readout of the sensor; may be shared between cameras.
            disturbance: How the pictures differ from the plain twin's.
            chromatic_dioptres: Render in colour, with blue focused so much nearer than red [1/m]; left out:
                in grey.

        Raises:
            AssetMissing: A photograph is not on this machine.
            SceneError: The scene can't be used.
        """
        shape = disturbance.point_spread if disturbance else ""
        kernels = partial(point_spread, shape) if shape else None
        self._renderer = Renderer(
            scene,
            *HALF,
            colour=chromatic_dioptres is not None,
            lens=lens,
            kernel_of=kernels,
            chromatic_dioptres=chromatic_dioptres or 0.0,
        )
        self._disturbance = disturbance
        self._readout = readout
        self._object_dioptres = 1.0 / scene.distances_m[layer]
        self._image_lx = image_illuminance_lx(REFERENCE_LX, lens.f_number)
        pattern = np.random.Generator(np.random.SFC64(0)).standard_normal(HALF[::-1], dtype=np.float32)
        # A pixel at half size has the mean responsivity of four pixels.
        self._responsivity = 1.0 + np.float32(readout.sensor.prnu / 2.0) * pattern
        self._name = scene.name
        self._noise: dict[int, NDArray[np.uint8]] = {}

    def light(self, defocus: float) -> Light:
        """The reflectance seen when the lens focuses ``defocus`` [1/m] nearer than the object."""
        return self._on_sensor(self._rendered(defocus))

    def _rendered(self, defocus: float) -> Light:
        return self._renderer.render(self._object_dioptres + defocus)

    def _on_sensor(self, light: Light) -> Light:
        if self._disturbance:
            light = self._disturbance.on_light(light)
        return np.asarray(light * self._responsivity, np.float32)

    def grey(self, light: Light, lux_seconds: float, draw: int = 0) -> Grey:
        """The working image.

        Args:
            light: From `light`.
            lux_seconds: Illuminance of the scene [lx] times exposure [s].
            draw: Number of the noise draw. Its noise is the same in all cells of a view.
        """
        half = self._readout.expose(
            light, self._image_lx, lux_seconds / REFERENCE_LX * 1e6, self._noise_of(draw)
        )
        if self._disturbance:
            half = self._disturbance.on_levels(half, np.random.default_rng(self._seed(draw)))
        return working_image(half, "mono8", WORKING_WIDTH_PX)

    def mid_grey_lux_seconds(self) -> float:
        """Light times exposure at which the sharp view has a mean of `MID_GREY`, within 0.01 EV [lx s]."""
        light = self.light(0.0)
        low, high = -8.0, 12.0
        while high - low > 0.01:
            middle = (low + high) / 2.0
            is_bright = float(self.grey(light, 2.0**middle).mean()) > MID_GREY
            low, high = (low, middle) if is_bright else (middle, high)
        return float(2.0 ** ((low + high) / 2.0))

    def pictures(self, grid: Grid, kind: int, mid_grey_lux_seconds: float) -> Iterator[Grey]:
        """The working images of a grid: defocus outermost, noise draws innermost.

        Args:
            grid: Where the cells lie.
            kind: Kind of the view's defocus axis.
            mid_grey_lux_seconds: The view's EV 0.
        """
        for defocus, cells in groupby(grid.points(kind), itemgetter(0)):
            light = self.light(defocus)
            for _, ev, draw in cells:
                yield self.grey(light, mid_grey_lux_seconds * 2.0**ev, draw)

    def _noise_of(self, draw: int) -> NDArray[np.uint8]:
        if draw not in self._noise:
            bits = np.random.SFC64(self._seed(draw)).random_raw(HALF[0] * HALF[1] // 8)
            self._noise[draw] = bits.view(np.uint8).reshape(HALF[::-1])
        return self._noise[draw]

    def _seed(self, draw: int) -> list[int]:
        return [zlib.crc32(self._name.encode()), draw]
