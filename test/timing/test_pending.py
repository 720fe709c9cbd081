"""Which frames are worth looking at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.timing.pending import GRACE_NS, PendingCommands
from dasha_ros.timing.rule import answers
from dasha_ros.timing.state import CaptureInfo, LensState


def capture(stamp: int, command: int = 0) -> CaptureInfo:
    return CaptureInfo(stamp, 1000.0, 0.0, command, 0)


def lens(command: int, settled_at: int) -> LensState:
    return LensState(command, 30.0, 30.0, True, settled_at)


def pending_commands() -> PendingCommands:
    return PendingCommands((24.0, 70.0), (1.0, 10e6))


small = st.integers(0, 20)


@given(small, small, small, small, small, small)
def test_the_rule(stamp: int, named: int, in_force: int, settled: int, exposure: int, moved: int) -> None:
    expected = named == exposure and in_force == moved and stamp >= settled
    assert answers(capture(stamp, named), lens(in_force, settled), exposure, moved) == expected


def test_nothing_is_fresh_before_the_lens_is_known() -> None:
    assert not pending_commands().is_fresh(capture(100), 100)


def test_a_frame_begun_before_the_lens_settled_is_stale() -> None:
    pending = pending_commands()
    pending.lens = lens(command=10, settled_at=50)
    assert not pending.is_fresh(capture(49), 60)
    assert pending.is_fresh(capture(50), 60)


def test_a_command_on_its_way_makes_every_frame_stale() -> None:
    pending = pending_commands()
    pending.lens = lens(command=10, settled_at=50)
    pending.lens_sent(30.0, 60, now_ns=61)
    assert not pending.is_fresh(capture(70), 71)
    pending.lens = lens(command=60, settled_at=80)
    assert not pending.is_fresh(capture(70), 81)
    assert pending.is_fresh(capture(80), 82)
    pending.exposure_sent(1000.0, 90, now_ns=91)
    assert not pending.is_fresh(capture(92, command=0), 93)
    assert pending.is_fresh(capture(92, command=90), 93)


def test_a_command_that_its_driver_refused_blocks_only_for_the_grace_time() -> None:
    pending = pending_commands()
    pending.lens = lens(command=10, settled_at=50)
    pending.lens_sent(30.0, 60, now_ns=61)
    assert not pending.is_fresh(capture(100), 61 + GRACE_NS - 1)
    assert pending.is_fresh(capture(100), 61 + GRACE_NS)


def test_each_pair_of_commands_is_answered_once() -> None:
    pending = pending_commands()
    pending.lens = lens(command=10, settled_at=50)
    assert pending.is_awaited(capture(60), 61)
    pending.answered(capture(60))
    assert not pending.is_awaited(capture(70), 71)
    assert pending.is_awaited(capture(80, command=75), 81)
    pending.lens = lens(command=90, settled_at=95)
    assert pending.is_awaited(capture(96), 97)


@given(st.lists(st.tuples(st.sampled_from(["send", "obey", "frame"]), st.integers(1, 5)), max_size=40))
def test_no_frame_begun_before_the_newest_move_settled_is_ever_fresh(events: list[tuple[str, int]]) -> None:
    """Random interleavings of commands, their (late) acknowledgement and frames."""
    pending, now, newest_sent, newest_settled = pending_commands(), 0, 0, 0
    pending.lens = lens(0, 0)
    for kind, step in events:
        now += step
        if kind == "send":
            newest_sent = now
            pending.lens_sent(30.0, now, now)
        elif kind == "obey":
            newest_settled = now + 3
            pending.lens = lens(newest_sent, newest_settled)
        else:
            frame = capture(now)
            if pending.is_fresh(frame, now):
                assert pending.lens is not None
                assert pending.lens.command_ns == newest_sent
                assert frame.stamp_ns >= newest_settled


@given(st.floats().filter(lambda v: not 24.0 <= v <= 70.0), st.integers(1, 10**9))
def test_a_command_that_no_driver_accepts_blocks_nothing(volts: float, stamp: int) -> None:
    pending = pending_commands()
    pending.lens = lens(command=10, settled_at=50)
    pending.lens_sent(volts, stamp, now_ns=stamp)
    pending.lens_sent(30.0, 10**18, now_ns=stamp)
    pending.exposure_sent(float("nan"), stamp, now_ns=stamp)
    assert pending.is_fresh(capture(100), stamp + 1)


def test_no_frame_is_fresh_while_the_lens_reports_a_fault() -> None:
    pending = pending_commands()
    pending.lens = LensState(0, 30.0, 30.0, True, 0, faults=("the lens board is gone",))
    assert not pending.is_fresh(capture(100), 100)
    pending.lens = lens(command=0, settled_at=0)
    assert pending.is_fresh(capture(100), 100)
