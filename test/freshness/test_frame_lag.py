"""The counting of frames after a command, against a device written without it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.freshness.lag import MOST_FRAMES, FrameLag


@dataclass
class Device:
    """Sends frames one after the other; each setting shows ``lag`` frames after its command."""

    lags: dict[str, int]
    log: list[dict[str, int]] = field(default_factory=list)
    """What was set, by frame; a frame shows the entry ``lag`` frames before it."""
    settings: dict[str, int] = field(default_factory=lambda: {"exposure": 0, "focus": 0})

    def frame(self) -> dict[str, int]:
        self.log.append(dict(self.settings))
        return {
            name: self.log[len(self.log) - 1 - lag][name] if lag < len(self.log) else 0
            for name, lag in self.lags.items()
        }


STEPS = st.lists(
    st.tuples(st.sampled_from(("exposure", "focus")), st.lists(st.booleans(), max_size=12)), max_size=30
)
"""What is commanded, and for the frames until the next command whether each arrives."""


@given(STEPS, st.integers(0, 6), st.integers(0, 6))
def test_no_frame_answers_that_does_not_show_every_command(steps, exposure_lag: int, focus_lag: int) -> None:
    device, lag = Device({"exposure": exposure_lag, "focus": focus_lag}), FrameLag()
    for number, (what, frames) in enumerate(steps, 1):
        device.settings[what] = number
        lag.commanded(device.lags[what])
        for arrives in frames:
            shown = device.frame()
            if arrives and lag.arrived():
                assert shown == device.settings


@pytest.mark.parametrize("frames", range(7))
def test_the_first_frame_after_the_lag_answers(frames: int) -> None:
    device, lag = Device({"exposure": frames}), FrameLag()
    for number in range(1, 2_001):
        device.settings["exposure"] = number
        lag.commanded(frames)
        passed = 0
        while True:
            shown = device.frame()
            if lag.arrived():
                break
            passed += 1
        assert shown == {"exposure": number}
        assert passed == frames


def test_a_shorter_lag_does_not_shorten_the_wait_for_an_earlier_command() -> None:
    lag = FrameLag()
    lag.commanded(4)
    lag.commanded(1)
    assert [lag.arrived() for _ in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize("frames", [-1, MOST_FRAMES + 1])
def test_an_impossible_lag_is_refused(frames: int) -> None:
    with pytest.raises(ValueError, match="must lie in 0 to 60"):
        FrameLag().commanded(frames)
