"""A lens model for many voltages at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel

_STEP_VOLTS = 0.02


class LensMap:
    """Volts to focus and back for arrays; off by less than a thousandth of a volt."""

    def __init__(self, lens: LensModel) -> None:
        """Tabulate a lens model."""
        count = round((lens.volts_max - lens.volts_min) / _STEP_VOLTS) + 1
        self.volts_min, self.volts_max = lens.volts_min, lens.volts_max
        self._volts = np.linspace(lens.volts_min, lens.volts_max, count)
        self._dioptres = np.array([lens.dioptres(float(v)) for v in self._volts])
        order = np.argsort(self._dioptres)
        self._by_dioptres = self._dioptres[order], self._volts[order]
        self.px_per_dioptre = abs(lens.blur_px(1.0, 0.0))
        """Blur radius [px at 640] of a dioptre of defocus."""

    def dioptres(self, volts: NDArray[np.floating]) -> Array:
        """Focus [1/m] at volts [V], ends beyond the ends."""
        result: Array = np.interp(volts, self._volts, self._dioptres)
        return result

    def volts(self, dioptres: NDArray[np.floating]) -> Array:
        """The voltages [V] that focus at dioptres [1/m], inside the lens's range."""
        result: Array = np.interp(dioptres, *self._by_dioptres)
        return result
