"""The exposure table: 146 exposure times, evenly spaced in logarithm (paper IV.B)."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left
from dataclasses import dataclass

EXPOSURES = 146
"""Size of A^H's action space (paper IV.B)."""
T_MIN_US = 24.0
"""Shortest exposure of the paper's camera, acA2000-50gm (its user's manual)."""
T_MAX_US = 1_000_000.0
"""Longest exposure of the paper's camera."""


@dataclass(frozen=True)
class ExposureTable:
    """Exposure times [us], ascending.

    Raises:
        ValueError: Fewer than two values, or not positive and strictly ascending.
    """

    values_us: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the values."""
        if len(self.values_us) < 2:
            raise ValueError(f"an exposure table needs at least two values; it has {len(self.values_us)}")
        if not all(math.isfinite(v) and v > 0 for v in self.values_us):
            raise ValueError("an exposure table holds a value that is not a positive number")
        for i, (a, b) in enumerate(zip(self.values_us, self.values_us[1:], strict=False)):
            if a >= b:
                raise ValueError(
                    f"exposure table: value {i + 1} ({b:g} us) is not above value {i} ({a:g} us); "
                    "use fewer values or a wider range"
                )

    def __len__(self) -> int:
        """Number of values."""
        return len(self.values_us)

    @property
    def t_min_us(self) -> float:
        """Shortest exposure [us]."""
        return self.values_us[0]

    @property
    def t_max_us(self) -> float:
        """Longest exposure [us]."""
        return self.values_us[-1]

    @property
    def id(self) -> str:
        """Identifies the table; stored with learned policies and compared when they are loaded."""
        digest = zlib.crc32(repr(self.values_us).encode())
        return f"{len(self)}:{self.t_min_us:.0f}..{self.t_max_us:.0f}us:{digest:08x}"

    def exposure_us(self, index: int) -> float:
        """The exposure time [us] of a table index.

        Raises:
            IndexError: The index is outside the table (negative ones too).
        """
        if not 0 <= index < len(self):
            raise IndexError(f"exposure index {index} is outside 0..{len(self) - 1}")
        return self.values_us[index]

    def nearest(self, exposure_us: float) -> int:
        """The index of the value nearest in logarithm (in brightness); the first or last one beyond the ends.

        Raises:
            ValueError: Not a positive number.
        """
        if not exposure_us > 0:
            raise ValueError(f"exposure {exposure_us!r} us: it must be a positive number")
        above = bisect_left(self.values_us, exposure_us)
        if above == 0:
            return 0
        if above == len(self):
            return len(self) - 1
        low, high = self.values_us[above - 1], self.values_us[above]
        return above if exposure_us * exposure_us > low * high else above - 1

    def within(self, t_min_us: float, t_max_us: float) -> ExposureTable:
        """A table of equally many values, over the part of this range that is within two limits [us].

        Raises:
            ValueError: The remaining range is too small.
        """
        if t_min_us <= self.t_min_us and self.t_max_us <= t_max_us:
            return self
        return exposure_table(max(self.t_min_us, t_min_us), min(self.t_max_us, t_max_us), len(self))


def exposure_table(
    t_min_us: float = T_MIN_US, t_max_us: float = T_MAX_US, n: int = EXPOSURES
) -> ExposureTable:
    """t_i = round(t_min (t_max/t_min)^(i/(n-1))) us.

    The relative step is the same everywhere (1.0761 by default). A linear table would have one usable
    value at 300 lx and f/2.

    Args:
        t_min_us: First value [us]; take the device's own limit, at least 1.
        t_max_us: Last value [us].
        n: Number of values.

    Raises:
        ValueError: The limits are not ascending, or rounding to 1 us makes two values equal.
    """
    if not (math.isfinite(t_min_us) and math.isfinite(t_max_us) and 1.0 <= t_min_us < t_max_us):
        raise ValueError(
            f"exposure limits {t_min_us!r}..{t_max_us!r} us: they must be ascending, from 1 us upwards"
        )
    if n < 2:
        raise ValueError(f"an exposure table of {n} values: at least two are needed")
    # Round the ends inwards: a device refuses values half a microsecond outside its limits.
    low, high = math.ceil(t_min_us), math.floor(t_max_us)
    values = (round(low * (high / low) ** (i / (n - 1))) for i in range(n))
    return ExposureTable(tuple(float(v) for v in values))
