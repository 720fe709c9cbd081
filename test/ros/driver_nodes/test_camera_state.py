"""When the camera's active settings are published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.ros.driver_nodes.camera_state import DELAY_S, LATEST_S, CameraState

FIRST = CaptureInfo(1_000_000_000, 10_000.0, 0.0, CommandId("h", 5), 0)


class Told:
    """A camera state with a manual clock, and what it published when [s]."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.all: list[tuple[float, CaptureInfo]] = []
        self.state = CameraState(lambda capture: self.all.append((self.now_s, capture)), lambda: self.now_s)

    @property
    def last(self) -> CaptureInfo:
        return self.all[-1][1]


def _later(capture: CaptureInfo, seconds: float) -> CaptureInfo:
    return replace(capture, stamp_ns=capture.stamp_ns + round(seconds * 1e9))


@pytest.mark.parametrize(
    "new", [{"exposure_us": 500.0}, {"gain_db": 3.0}, {"exposure_command": CommandId("h", 6)}]
)
def test_new_settings_are_published_at_once(new: dict[str, Any]) -> None:
    told = Told()
    told.state.taken(FIRST, awaited=False)
    changed = replace(_later(FIRST, 0.01), **new)
    told.state.taken(changed, awaited=True)
    assert [capture for _, capture in told.all] == [FIRST, changed]
    assert told.state.longest_wait_s is None


def test_a_picture_with_known_settings_is_published_a_little_later() -> None:
    told = Told()
    told.state.taken(FIRST, awaited=True)
    answer = _later(FIRST, 0.02)
    told.state.taken(answer, awaited=True)
    told.state.publish_if_due()
    assert told.last == FIRST
    assert told.state.longest_wait_s == DELAY_S
    told.now_s = DELAY_S
    told.state.publish_if_due()
    assert told.last == answer
    assert told.state.longest_wait_s is None


def test_states_of_a_preview_are_published_twice_a_second() -> None:
    told = Told()
    for k in range(101):
        told.now_s = k * 0.02
        # The wall clock does not matter.
        told.state.taken(_later(FIRST, k * 0.02 if k < 50 else -30.0), awaited=False)
    assert [now_s for now_s, _ in told.all] == [k * 0.5 for k in range(5)]


@given(gaps_ms=st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_the_newest_state_is_published_and_none_waits_longer_than_the_limit(gaps_ms: list[int]) -> None:
    """Steps at any rate; the thread checks every 10 ms, as if it were woken often."""
    told, newest = Told(), FIRST
    told.state.taken(FIRST, awaited=True)
    untold_since: float | None = None
    for gap_ms in gaps_ms:
        for _ in range(0, gap_ms, 10):
            told.now_s += 0.01
            told.state.publish_if_due()
            if untold_since is not None and told.last == newest:
                untold_since = None
            assert untold_since is None or told.now_s - untold_since <= LATEST_S + 0.011
        newest = _later(newest, gap_ms / 1e3)
        told.state.taken(newest, awaited=True)
        if untold_since is None:
            untold_since = told.now_s
    told.now_s += DELAY_S + 1e-6
    told.state.publish_if_due()
    assert told.last == newest
