"""What perception reads from one view at one defocus and one exposure: the content of a cell.

The frame is drawn at half size (`optics.binned`) and shrunk by perception's own
`working_image`, so that a cell costs a fraction of a rendering at 2048 px and holds the same
numbers up to noise; `cache_check` prints the difference. Pictures are read one by one: on a
processor, batches of 2 to 8 save nothing (detector 28.0 ms a picture alone, 28.5 in eights;
encoders 9.1 and 10.0), and parallel processes already fill the cores.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.estimation.readout import CHANNELS, GRID_ENCODER
from dasha_ros.learning.dataset.cache.axes import Grid
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.sensor import image_illuminance_lx
from dasha_ros.perception.detectors import Detector, create_detector
from dasha_ros.perception.encoders import Encoder, create_encoder
from dasha_ros.perception.image import working_image
from dasha_ros.perception.models.session import model_path
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.quality.brisque import BLANK_SCORE, FEATURES, Brisque, BrisqueModel
from dasha_ros.perception.quality.histogram import BINS, histogram
from dasha_ros.perception.quality.sharpness import Sharpness
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import Scene

FRAME = (2048, 1088)
"""Width and height of the camera's frame [px]."""
HALF = (1024, 544)
WORKING_WIDTH = 640
MIN_SCORE = 0.02
"""Detections below are stored as 0. Far below any threshold, so that interpolation meets no cliff."""
ENERGIES = 8
BLUR_FEATURES = FEATURES + ENERGIES
MID_GREY = 100.0
"""Mean grey level of a well exposed picture: the middle of Eq. 7's best interval."""
REFERENCE_LX = 100.0
"""Light in which cells are exposed. With the product of light and time given, only the dark
current knows the difference: 24 e- of 6,750 at the longest exposure."""
ENCODERS: Mapping[str, str] = {"latent": "efficientnet_lite0", "latent_grid": "efficientnet_lite0_grid"}
"""Field by field, which encoder's latent it holds."""
EARLY = "latent_early", "efficientnet_lite0_early"
"""A field that is not encoded but pooled from the grid, and the encoder that would make it."""

Grey = NDArray[np.uint8]
Light = NDArray[np.float32]


class ViewCamera:
    """Takes pictures of one scene, focused at will, as perception's working images."""

    def __init__(self, scene: Scene, layer: int, lens: LensModel, readout: HalfSizeReadout) -> None:
        """Read the photographs.

        Args:
            scene: What stands before the camera.
            layer: The layer that defocus is measured from.
            lens: Aperture and focal length.
            readout: Of the sensor; may be shared.

        Raises:
            AssetMissing: A photograph is not on this machine.
            SceneError: The scene can't be used.
        """
        self._renderer = Renderer(scene, *HALF, lens=lens)
        self._readout = readout
        self._object_dioptres = 1.0 / scene.distances_m[layer]
        self._image_lx = image_illuminance_lx(REFERENCE_LX, lens.f_number)
        pattern = np.random.Generator(np.random.SFC64(0)).standard_normal(HALF[::-1], dtype=np.float32)
        # Of four pixels' responsivity the mean counts.
        self._responsivity = 1.0 + np.float32(readout.sensor.prnu / 2.0) * pattern
        self._name = scene.name
        self._noise: dict[int, NDArray[np.uint8]] = {}

    def light(self, defocus: float) -> Light:
        """The reflectance seen when the lens focuses ``defocus`` [1/m] nearer than the object."""
        return np.asarray(
            self._renderer.render(self._object_dioptres + defocus) * self._responsivity, np.float32
        )

    def grey(self, light: Light, lux_seconds: float, draw: int = 0) -> Grey:
        """The working image.

        Args:
            light: From `light`.
            lux_seconds: Illuminance of the scene [lx] times exposure [s].
            draw: Which noise; that of a view and a draw is the same in all cells.
        """
        half = self._readout.expose(
            light, self._image_lx, lux_seconds / REFERENCE_LX * 1e6, self._noise_of(draw)
        )
        return working_image(half, "mono8", WORKING_WIDTH)

    def mid_grey_lux_seconds(self) -> float:
        """Where the mean grey level of the sharp view is `MID_GREY`; found by bisection within 0.01 EV."""
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
            grid: Of the cells.
            kind: Of the view: which defocus axis.
            mid_grey_lux_seconds: The view's EV 0.
        """
        for defocus in grid.defocus(kind):
            light = self.light(defocus)
            for ev in grid.ev:
                for draw in range(grid.draws):
                    yield self.grey(light, mid_grey_lux_seconds * 2.0**ev, draw)

    def _noise_of(self, draw: int) -> NDArray[np.uint8]:
        if draw not in self._noise:
            seed = [zlib.crc32(self._name.encode()), draw]
            bits = np.random.SFC64(seed).random_raw(HALF[0] * HALF[1] // 8)
            self._noise[draw] = bits.view(np.uint8).reshape(HALF[::-1])
        return self._noise[draw]


class CellReader:
    """Perception, one thread, into the fields of a cell."""

    def __init__(self, encoders: Mapping[str, str] = ENCODERS, detector: str = "yolov3_tiny") -> None:
        """Load the models.

        Args:
            encoders: Name of each latent field and its encoder; one must be the grid's.
            detector: By name.

        Raises:
            ModelError: A model is missing; the message says what to do.
        """
        self.encoders: dict[str, Encoder] = {
            field: create_encoder(name, threads=1) for field, name in encoders.items()
        }
        self.detector: Detector = create_detector(detector, threads=1)
        self._model = BrisqueModel.load(model_path(None, models.BRISQUE))
        self._brisque = Brisque(self._model)

    def shapes(self) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
        """Shape and type of each field of a cell."""
        latents = {field: ((encoder.size,), np.float16) for field, encoder in self.encoders.items()}
        return {**latents, EARLY[0]: ((2 * CHANNELS,), np.float16), **SCALARS}

    def find(self, grey: Grey, min_score: float = MIN_SCORE) -> list[Detection]:
        """What the detector sees; boxes in pixels of ``grey``."""
        return self.detector.detect(grey, min_score)

    def cell(self, grey: Grey, label: str) -> dict[str, NDArray[np.floating] | float]:
        """Every field of a cell but those of `light_fields`; see `PerceptCache.fields`."""
        features = self._brisque.features(grey)
        sharpness = Sharpness(grey)
        best = next((d for d in self.detector.detect(grey, MIN_SCORE, (label,))), None)
        rows, columns = grey.shape
        energies = blur_energies(grey)
        latents = {encoder.id: encoder.encode(grey) for encoder in self.encoders.values()}
        return {
            **{field: latents[encoder.id] for field, encoder in self.encoders.items()},
            EARLY[0]: pooled(latents[GRID_ENCODER]),
            "brisque": BLANK_SCORE if features is None else self._model.predict(features),
            "blur_features": np.concatenate([np.zeros(FEATURES) if features is None else features, energies]),
            "sharpness": sharpness.frame(),
            "score": best.score if best else 0.0,
            "box": np.array(best.box) / (columns, rows, columns, rows) if best else np.zeros(4),
            "box_sharpness": sharpness.box(best.box) if best else 0.0,
        }


SCALARS: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "brisque": ((), np.float32),
    "blur_features": ((BLUR_FEATURES,), np.float32),
    "sharpness": ((), np.float32),
    "score": ((), np.float32),
    "box": ((4,), np.float32),
    "box_sharpness": ((), np.float32),
}
LIGHT_FIELDS: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "mean_grey": ((), np.float32),
    "histogram": ((BINS,), np.float16),
}


def light_fields(grey: Grey) -> dict[str, NDArray[np.floating] | float]:
    """What says how bright a picture is: the fields of `LIGHT_FIELDS`."""
    seen = histogram(grey)
    return {"mean_grey": seen.mean, "histogram": seen.counts / grey.size}


def pooled(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The early latent, shape (224,), of the grid's, shape (6272,): statistics of all cells together."""
    cells = grid.reshape(-1, 2, CHANNELS)
    means, deviations = cells[:, 0], cells[:, 1]
    deviation = np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0))
    return np.concatenate([means.mean(axis=0), deviation])


def blur_energies(grey: Grey) -> NDArray[np.float64]:
    """Eight numbers that fall with blur: log energies of Laplacian (4 sizes) and gradient (3), and contrast.

    Each is relative to the squared mean grey level, as Tenengrad is here, so that exposure cancels.
    """
    image = grey.astype(np.float32)
    mean_square = max(float(image.mean()), 1.0) ** 2
    values = [math.log10(float(image.var()) / mean_square + 1e-6)]
    for size in range(4):
        laplacian = cv2.Laplacian(image, cv2.CV_32F)
        values.append(_log_energy(laplacian, mean_square))
        if size < 3:
            values.append(
                _log_energy(cv2.Sobel(image, cv2.CV_32F, 1, 0), mean_square)
                + _log_energy(cv2.Sobel(image, cv2.CV_32F, 0, 1), mean_square)
            )
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.array(values)


def _log_energy(gradient: NDArray[np.float32], mean_square: float) -> float:
    return math.log10(cv2.norm(gradient, cv2.NORM_L2SQR) / gradient.size / mean_square + 1e-6)
