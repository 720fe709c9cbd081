"""Takes the red and the blue picture of one view on both sides of the focus, as a colour camera would.

Red and blue focus at different distances (`twin.chromatic`), so these pictures carry the sign of defocus,
which a grey one does not. The noise of each colour is its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import numpy as np

from dasha_ros.learning.dataset.cache.axes import PLANE, Grid
from dasha_ros.learning.dataset.cache.view_camera import Grey, Light, ViewCamera
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.quality.detail import BANDS
from dasha_ros.twin.chromatic import CHROMATIC_DIOPTRES

NEARER, FARTHER = 0, 1
"""Sides of the focus: the lens is focused nearer than the object, and farther."""
_CHANNELS = (0, 2)
"""Red and blue."""
_NOISE = 1_000
"""Noise of a colour has the number of a draw of its own, beyond those of grey pictures."""

COLOUR_FIELDS: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "box_colour": ((2, len(_CHANNELS), BANDS), np.float32),
    "object_colour": ((2, len(_CHANNELS), BANDS), np.float32),
}
"""Fields of a cell: the detail of red and of blue, `NEARER` and `FARTHER`, in the detection's box and in that
of the sharp picture."""
NO_COLOUR = {name: np.full(shape, np.nan) for name, (shape, _) in COLOUR_FIELDS.items()}
"""What cells of the light grid hold: A^H does without colours."""
Colours = tuple[tuple[Grey, Grey], tuple[Grey, Grey]]
"""Red and blue working image, `NEARER` and `FARTHER`."""


class ColourCamera(ViewCamera):
    """Takes pictures of one scene in red and in blue."""

    def __init__(
        self, view: View, readout: HalfSizeReadout, *, chromatic_dioptres: float = CHROMATIC_DIOPTRES
    ) -> None:
        """Read the photographs.

        Args:
            view: The scene, its object, and how its pictures differ from the plain twin's.
            readout: Readout of the sensor; may be shared between cameras.
            chromatic_dioptres: How much nearer the lens focuses blue than red [1/m].

        Raises:
            AssetMissing: A photograph is not on this machine.
            SceneError: The scene can't be used.
        """
        info = view.info
        super().__init__(
            view.scene,
            info.layer,
            lens_model(),
            readout,
            info.disturbance,
            chromatic_dioptres=chromatic_dioptres,
        )

    def colours(self, grid: Grid, kind: int, mid_grey_lux_seconds: float) -> Iterator[Colours]:
        """The pictures of a grid's cells, in their order.

        A cell of a plane stands for both sides of the focus. A cell of a composite lies on one side, and both
        of its pairs are the same.

        Args:
            grid: Where the cells lie.
            kind: Kind of the view's defocus axis.
            mid_grey_lux_seconds: The view's EV 0.
        """
        for defocus, cells in groupby(grid.points(kind), itemgetter(0)):
            sides = (defocus, -defocus) if kind == PLANE else (defocus,)
            lights = [self._red_and_blue(side) for side in sides]
            for _, ev, draw in cells:
                lux_seconds = mid_grey_lux_seconds * 2.0**ev
                pairs = [self._exposed(light, lux_seconds, draw) for light in lights]
                yield pairs[0], pairs[-1]

    def _red_and_blue(self, defocus: float) -> tuple[Light, Light]:
        rendered = self._rendered(defocus)
        red, blue = (self._on_sensor(rendered[..., channel]) for channel in _CHANNELS)
        return red, blue

    def _exposed(self, light: tuple[Light, Light], lux_seconds: float, draw: int) -> tuple[Grey, Grey]:
        red, blue = (
            self.grey(colour, lux_seconds, _NOISE + len(_CHANNELS) * draw + number)
            for number, colour in enumerate(light)
        )
        return red, blue
