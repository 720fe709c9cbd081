"""The exposure table: 146 exposure times, evenly spaced in logarithm (paper IV.B)."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

EXPOSURES = 146
"""Size of A^H's action space (paper IV.B)."""
T_MIN_US = 24.0
"""Shortest exposure of the paper's camera, acA2000-50gm (its user's manual)."""
T_MAX_US = 1_000_000.0
"""Longest exposure of the paper's camera."""
_ROUNDED_SHARE, _ROUNDED_US = 0.02, 40.0
LAMPS_HZ = (100.0, 120.0)
"""How often lamps are brightest in a second on mains of 50 and of 60 Hz: twice in each period."""


@dataclass(frozen=True)
class ExposureTable:
    """Exposure times [us], ascending.

    Raises:
        ValueError: Fewer than two values, or not positive and strictly ascending.
    """

    values_us: tuple[float, ...]
    gains: int = 0
    """How many of the last values `with_gain` added."""
    gain_from_us: float = math.inf
    """The longest exposure of the camera, or of the part without gain [us]: longer values are made of it and
    gain. A sensor is linear, so twice the gain is as bright as twice the time. Infinite: without gain."""
    mains_hz: float = 0.0
    """Frequency of the mains [Hz]; 0: any exposure will do. Lamps flicker twice in its period. An exposure of
    whole flickers is equally bright whenever it begins, so longer ones are rounded to whole ones."""

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
        """Longest exposure without gain [us]."""
        return self.values_us[-1 - self.gains]

    @property
    def base(self) -> ExposureTable:
        """The part without gain."""
        return ExposureTable(self.values_us[: len(self) - self.gains], mains_hz=self.mains_hz)

    @property
    def id(self) -> str:
        """Identifies the part without gain; learned policies keep it, and it is compared when they load."""
        values_us = self.base.values_us
        digest = zlib.crc32(repr(values_us).encode())
        return f"{len(values_us)}:{self.t_min_us:.0f}..{self.t_max_us:.0f}us:{digest:08x}"

    def exposure_us(self, index: int) -> float:
        """The exposure time [us] of a table index.

        Raises:
            IndexError: The index is outside the table (negative ones too).
        """
        if not 0 <= index < len(self):
            raise IndexError(f"exposure index {index} is outside 0..{len(self) - 1}")
        return self._rounded(self.values_us[index])

    def _rounded(self, value_us: float) -> float:
        if not self.mains_hz or value_us > self.gain_from_us:
            return value_us
        flicker_us = 5e5 / self.mains_hz
        if value_us < flicker_us:
            return value_us
        longest_us = min(self.gain_from_us, self.t_max_us)
        return min(round(value_us / flicker_us), longest_us // flicker_us) * flicker_us

    def alike(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """First and last index of the values that make the same exposure as each, both of shape (n,)."""
        made = [self._rounded(value) for value in self.values_us]
        first = [bisect_left(made, value) for value in made]
        last = [bisect_right(made, value) - 1 for value in made]
        return np.array(first, np.intp), np.array(last, np.intp)

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

    def with_gain(self, gain_db: float, longest_us: float | None = None) -> ExposureTable:
        """This table, continued in equal ratios as far as gain reaches.

        Args:
            gain_db: The most gain [dB].
            longest_us: The camera's longest exposure [us]; left out, or beyond the table: that of the table.
        """
        base = self.base.values_us
        longest_us = base[-1] if longest_us is None else min(longest_us, base[-1])
        ratio = (base[-1] / base[0]) ** (1.0 / (len(base) - 1))
        reach = longest_us * gain_factor(gain_db) / base[-1]
        more = math.floor(math.log(reach, ratio) + 1e-9) if reach > 1.0 else 0
        added = tuple(base[-1] * ratio**i for i in range(1, more + 1))
        return ExposureTable(base + added, more, longest_us, self.mains_hz)

    def free_of_flicker(self, mains_hz: float) -> ExposureTable:
        """This table for light that flickers with the mains of this frequency [Hz]; 0: that does not."""
        return replace(self, mains_hz=mains_hz)

    def seen(self, exposure_us: float, gain_db: float) -> int:
        """The index of the value that made a frame, from what the frame says of it [us, dB]."""
        return self.nearest(self.asked_us(exposure_us, gain_db))

    def asked_us(self, exposure_us: float, gain_db: float) -> float:
        """What was asked for [us], from what a frame says of its exposure [us] and gain [dB]."""
        return asked_us(exposure_us, gain_db, self.gain_from_us)

    def within(self, t_min_us: float, t_max_us: float) -> ExposureTable:
        """A table of equally many values, over the part of this range that is within two limits [us].

        Raises:
            ValueError: The remaining range is too small.
        """
        if t_min_us <= self.t_min_us and self.t_max_us <= t_max_us:
            return self
        count = len(self) - self.gains
        within = exposure_table(max(self.t_min_us, t_min_us), min(self.t_max_us, t_max_us), count)
        return within.free_of_flicker(self.mains_hz)


def gain_factor(gain_db: float) -> float:
    """How much brighter a gain makes a picture: 6.02 dB double it."""
    return float(10.0 ** (gain_db / 20.0))


def without_gain_us(exposure_us: float, gain_db: float) -> float:
    """The exposure [us] that makes a picture as bright without gain."""
    return exposure_us * gain_factor(gain_db)


def flicker_shown(hz: float, exposure_us: float) -> float:
    """Share of a flicker's depth that pictures of an exposure show, 0..1: |sinc| of its flickers.

    Args:
        hz: Frequency of the light [Hz].
        exposure_us: Exposure time [us].
    """
    return float(abs(np.sinc(hz * exposure_us * 1e-6)))


def same_exposure(wanted_us: float, made_us: float) -> bool:
    """Whether a sensor that was told to expose for one time may have made the other [us].

    Sensors expose whole lines, which take up to 30 us, and shorten what they are told.
    """
    return abs(wanted_us - made_us) <= max(_ROUNDED_US, _ROUNDED_SHARE * min(wanted_us, made_us))


def asked_us(exposure_us: float, gain_db: float, longest_us: float) -> float:
    """The exposure that was asked for [us], if gain stands in for what is beyond the longest exposure.

    Args:
        exposure_us: What made the frame [us]; the longest one may have been made a little shorter.
        gain_db: Its gain [dB]; a gain at a shorter exposure is the camera's own, and not part of the setting.
        longest_us: The longest exposure [us].
    """
    if gain_db <= 0.0 or not (exposure_us > longest_us or same_exposure(longest_us, exposure_us)):
        return exposure_us
    return without_gain_us(max(exposure_us, longest_us), gain_db)


def made_of(asked: float, longest_us: float, least_gain_db: float = 0.0) -> tuple[float, float]:
    """The exposure [us] and the gain [dB] that make an exposure that was asked for [us].

    Args:
        asked: Exposure that was asked for [us].
        longest_us: The longest exposure [us].
        least_gain_db: The gain of exposures that need none [dB].
    """
    if asked <= longest_us:
        return asked, least_gain_db
    return longest_us, max(least_gain_db, 20.0 * math.log10(asked / longest_us))


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
