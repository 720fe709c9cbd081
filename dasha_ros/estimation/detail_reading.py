"""An object's own detail: a map of detail, averaged over the core of the object's box.

`perception.quality.detail` makes the map. Only cells that the core covers count, so that the object's
background does not. A linear map (`readout.Readout`), fitted on training photographs, turns the six numbers
into blur.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.readout import CORE
from dasha_ros.perception.quality.detail import BANDS, COLUMNS, ROWS, log_energies

Floats = NDArray[np.float32]


def object_detail(detail: NDArray[np.uint8], box: NDArray[np.floating]) -> Floats:
    """Logarithms of the mean energies in the core of a box, shape (`BANDS`,), finest first.

    Args:
        detail: A percept's map of detail; may be empty.
        box: Left, top, right, bottom as fractions of the frame; NaN for none.

    Returns:
        NaN where the box is NaN or covers nothing, or there is no map.
    """
    if not detail.size:
        return np.full(BANDS, np.nan, np.float32)
    across, down = _cover(box)
    area = float(across.sum() * down.sum())
    if not area > 0.0:
        return np.full(BANDS, np.nan, np.float32)
    rows, columns = np.flatnonzero(down), np.flatnonzero(across)
    part = detail[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    energies = np.exp(log_energies(part))
    mean = np.einsum("r,c,rcb->b", down[rows], across[columns], energies) / area
    return np.asarray(np.log(mean), np.float32)


def core_cells(box: NDArray[np.floating]) -> float:
    """How many cells of a map of detail the core of a box covers; NaN where the box is NaN.

    Args:
        box: As for `object_detail`.
    """
    across, down = _cover(box)
    return float(across.sum() * down.sum())


def _cover(box: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """How much of each column and of each row of cells the core of a box covers."""
    low, high = _core(np.asarray(box, np.float32))
    across = _covered(float(low[0]), float(high[0]), COLUMNS)
    return across, _covered(float(low[1]), float(high[1]), ROWS)


def _core(box: Floats) -> tuple[Floats, Floats]:
    """Both corners of the part of a box that is read."""
    centre, half = (box[:2] + box[2:]) / 2.0, (box[2:] - box[:2]) * (CORE / 2.0)
    return np.asarray(centre - half, np.float32), np.asarray(centre + half, np.float32)


def _covered(begin: float, end: float, cells: int) -> Floats:
    """How much of each of so many equal cells of 0..1 lies in begin..end, shape (cells,)."""
    edges = np.arange(cells, dtype=np.float32)
    inside = np.minimum(end * cells, edges + 1.0) - np.maximum(begin * cells, edges)
    return np.asarray(np.maximum(inside, 0.0), np.float32)
