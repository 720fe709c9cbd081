"""The exposure table: 146 exposure times, evenly spaced in logarithm (paper IV.B)."""

from __future__ import annotations

from dataclasses import dataclass

EXPOSURES = 146
"""Size of A^H's action space (paper IV.B)."""


@dataclass(frozen=True)
class ExposureTable:
    """Exposure times [us], ascending."""

    values_us: tuple[float, ...]
