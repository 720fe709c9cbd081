"""Measures by how many frames a device's picture lags behind its exposure and its focus.

A setting is stepped to and fro between two values that look different, each time at another moment of a
frame. For each step it is counted how many frames still differ from what the picture comes to rest at. The
greatest count is the lag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.lag.latency import Latency
from dasha_ros.freshness.clock import Clock
from dasha_ros.perception.quality.sharpness import Sharpness

WATCHED = {"exposure": 24, "focus": 45}
"""Frames after a step that are looked at; in the last third the picture has come to rest. A lens travels."""
STEPS = 12
CANDIDATES = 8
"""Values of a setting that are tried, to find two that look different."""
TOLERANCE, TRAVEL_TOLERANCE = 0.12, 0.06
"""A picture has come to rest when it is within this share of the step. A lens slows down before it arrives:
there the share is smaller, as far as the noise allows."""
CLEAR = 8.0
"""A step must change the picture by this many times the noise of a picture at rest."""
SURE = 4.0
"""A picture is not at rest if it is off by this many times the noise."""
_BLACK, _WHITE = 4.0, 246.0
"""Mean levels at which a picture hides how bright it is."""
_MIDDLE = 110.0
"""Mean level at which the focus is measured."""

Report = Callable[[str, int, int], None]


class LagError(RuntimeError):
    """The lag could not be measured; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the device, and how to see it in a picture."""

    name: str
    values: tuple[float, ...]
    """Candidates, ascending."""
    set: Callable[[float], object]
    """Sets it, and throws away every frame that has arrived."""
    level: Callable[[NDArray[np.uint8]], float]
    """A number that the setting changes."""
    usable: Callable[[float], bool]
    """Whether a level can be compared."""
    advice: str
    """What to do when the picture does not answer."""
    tolerance: float = TOLERANCE
    """Share of a step within which its picture has come to rest."""


class LagBench(Protocol):
    """A device whose frames all come, in the order in which they are sent."""

    @property
    def model(self) -> str:
        """Names the model."""
        ...

    @property
    def exposure(self) -> Setting:
        """The exposure."""
        ...

    @property
    def focus(self) -> Setting | None:
        """The focus; ``None``: it has none."""
        ...

    def next(self) -> tuple[NDArray[np.uint8], int]:
        """The next frame, grey, shape (height, width), and when it began, on the steady clock [ns].

        Raises:
            DeviceError: None came.
        """
        ...


def measure(bench: LagBench, clock: Clock, report: Report, *, with_focus: bool = True) -> Latency:
    """Measure the lag of an open device that looks at a still scene. Takes a minute at 30 Hz.

    Args:
        bench: The device.
        clock: A steady one.
        report: Hears of the progress.
        with_focus: Whether the focus is measured, too, if there is one.

    Raises:
        LagError: The picture does not show the setting, does not come to rest, or changes by itself.
        DeviceError: The device failed.
    """
    stamps = [bench.next()[1] for _ in range(WATCHED["exposure"])]
    steps = _Steps(bench, clock, report, float(np.median(np.diff(stamps))) / 1e9)
    exposure, focus = bench.exposure, bench.focus if with_focus else None
    lit = steps.tried(exposure)
    exposure_frames, focus_frames = steps.lag(exposure, lit), None
    if focus is not None:
        exposure.set(min(lit, key=lambda value: abs(lit[value] - _MIDDLE)))
        focus_frames = steps.lag(focus, steps.tried(focus))
    return Latency(bench.model, exposure_frames, focus_frames, steps.frame_s)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps settings of a device and looks at its frames."""

    bench: LagBench
    clock: Clock
    report: Report
    frame_s: float

    def tried(self, setting: Setting) -> dict[float, float]:
        """The level at each candidate, of those that can be compared."""
        levels: dict[float, float] = {}
        for number, value in enumerate(setting.values, 1):
            setting.set(value)
            level = _rest(self._levels(setting))
            if setting.usable(level):
                levels[value] = level
            self.report(f"{setting.name} range", number, len(setting.values))
        if len(levels) < 2:
            raise LagError(f"the picture does not show the {setting.name}: {setting.advice}")
        return levels

    def lag(self, setting: Setting, levels: Mapping[float, float]) -> int:
        """Step between the two values whose pictures differ most; the most frames at odds of all steps."""
        low, high = min(levels, key=lambda v: levels[v]), max(levels, key=lambda v: levels[v])
        setting.set(low)
        before = self._levels(setting)
        counts = []
        for step in range(STEPS):
            # The command comes at another moment of a frame each time.
            self.clock.wait_until(self.clock.now_ns() + round(step / STEPS * self.frame_s * 1e9))
            setting.set(high if step % 2 == 0 else low)
            after = self._levels(setting)
            counts.append(frames_at_odds(before, after, setting))
            before = after
            self.report(f"{setting.name} steps", step + 1, STEPS)
        return max(counts)

    def _levels(self, setting: Setting) -> list[float]:
        return [setting.level(self.bench.next()[0]) for _ in range(WATCHED[setting.name])]


def frames_at_odds(before: Sequence[float], after: Sequence[float], setting: Setting) -> int:
    """How many frames after a step differ from what the picture comes to rest at.

    Args:
        before: Levels after the step before.
        after: Levels after this step, in the order of the frames.
        setting: For messages.

    Raises:
        LagError: The two states look alike, or the picture does not come to rest.
    """
    old, final, noise = _rest(before), _rest(after), max(_noise(before), _noise(after))
    step = abs(final - old)
    if step < CLEAR * noise or step == 0.0:
        raise LagError(f"the picture does not answer to the {setting.name}: {setting.advice}")
    share = max(setting.tolerance, min(TOLERANCE, SURE * noise / step))
    off = np.abs(np.asarray(after) - final) > share * step
    count = int(np.flatnonzero(off)[-1]) + 1 if off.any() else 0
    if share > setting.tolerance:
        # The noise hides the end of the travel.
        count += 1
    if count > _calm(len(after)):
        raise LagError(
            f"the picture has not come to rest {len(after)} frames after a step of the {setting.name}:"
            " something moves before the camera, or the light flickers"
        )
    return count


def _calm(count: int) -> int:
    """Frames before those at which the picture counts as at rest."""
    return count - count // 3


def _rest(levels: Sequence[float]) -> float:
    return float(np.median(levels[_calm(len(levels)) :]))


def _noise(levels: Sequence[float]) -> float:
    """Standard deviation at rest, from neighbours, so that a slow drift of the light does not count."""
    return float(np.std(np.diff(levels[_calm(len(levels)) :])) / np.sqrt(2.0))


def exposure_setting(values: tuple[float, ...], set_value: Callable[[float], object]) -> Setting:
    """The exposure, seen in the mean of the picture.

    Args:
        values: Candidates in the device's unit, ascending.
        set_value: See `Setting.set`.
    """
    return Setting(
        "exposure",
        values,
        set_value,
        lambda grey: float(grey.mean()),
        lambda level: _BLACK < level < _WHITE,
        "point the camera at something lit, neither black nor white",
    )


def focus_setting(values: tuple[float, ...], set_value: Callable[[float], object]) -> Setting:
    """The focus, seen in the sharpness of the middle of the picture; see `exposure_setting`."""
    return Setting(
        "focus",
        values,
        set_value,
        lambda grey: Sharpness(_middle(grey)).frame(),
        lambda level: True,
        "point the camera at something still with fine texture, such as a newspaper",
        TRAVEL_TOLERANCE,
    )


def _middle(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = grey.shape
    return np.ascontiguousarray(grey[height // 4 : height - height // 4, width // 4 : width - width // 4])


def spread(low: float, high: float, count: int = CANDIDATES) -> tuple[float, ...]:
    """Candidates from ``low`` to ``high``, evenly spaced in logarithm if ``low`` is positive."""
    spacing = np.geomspace if low > 0 else np.linspace
    return tuple(float(value) for value in spacing(low, high, count))
