"""Which frames are fresh, judged by a simulated world that knows what made them."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from world import EXPOSURES_US, MS, POSITIONS, SENDERS, Told, World

from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.newest import LATE_NS, NewestMessage
from dasha_ros.freshness.pending import GRACE_NS, PendingCommands
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import NOWHERE, CaptureInfo, LensMove, LensState

seeds = st.integers(0, 2**32)
H1, H2, L1, L2 = CommandId("h", 1), CommandId("h", 2), CommandId("l", 1), CommandId("l", 2)


def _live(world: World, events: int) -> None:
    """Simulate everything that may happen to a robot, at any moment."""
    draw = world.draw
    for _ in range(events):
        what = draw.random()
        if what < 0.25:
            position = draw.choice((30.0, 45.0, 60.0, 99.0, float("nan")))
            world.command(draw.choice(SENDERS), "lens", position)
        elif what < 0.5:
            exposure_us = draw.choice((1e3, 2e4, 3e5, 5e6, -1.0, float("nan")))
            world.command(draw.choice(SENDERS), "exposure", exposure_us)
        elif what < 0.75:
            world.expose(waits=draw.random() < 0.5)
        elif what < 0.85:
            world.light += 1
        elif what < 0.9:
            world.break_lens()
        elif what < 0.95:
            world.kill(world.start_camera)
        else:
            world.kill(world.start_lens)
        world.pass_time(draw.choice((0, 1, 20, 150, 500, 1500)) * MS)


def _newest(heard: list[Told | int]) -> int:
    return max((it.became if isinstance(it, Told) else it for it in heard), default=0)


@settings(max_examples=300)
@given(seeds, st.integers(1, 40))
def test_every_fresh_frame_was_made_by_the_newest_commands(seed: int, events: int) -> None:
    """Despite late, duplicate, reordered, lost and refused commands, faults, restarts and clock changes."""
    world = World(random.Random(seed))
    _live(world, events)
    for judgement in world.judgements:
        frame, capture = judgement.frame, judgement.frame.capture
        assert capture is not None
        assert frame.exposure == _newest(judgement.exposures)
        # The lens may have begun a move of which nothing has reached anybody.
        newest = _newest(judgement.moves)
        assert frame.lens > newest or (frame.lens == newest and frame.lens_rested)
        # Senders of commands see the world after that, not before.
        for id in (capture.exposure_command, capture.lens.command):
            if id != NO_COMMAND:
                told = world.told[id]
                assert frame.begun_ns >= told.sent_ns
                assert frame.light >= told.light


@settings(max_examples=150)
@given(seeds, st.integers(0, 40))
def test_frames_are_fresh_again_once_the_drivers_answer(seed: int, events: int) -> None:
    world = World(random.Random(seed))
    _live(world, events)
    world.is_calm = True
    world.say()
    for _ in range(60):
        world.expose()
        world.pass_time(100 * MS)
    assert world.judgements
    assert world.judgements[-1].at_ns > world.now_ns - 200 * MS
    # And so is one that an agent asks for, at once.
    for sender, which, value in (("high", "exposure", 2e4), ("low", "lens", 45.0)):
        told = world.command(sender, which, value)
        world.pass_time(300 * MS)
        capture = world.judgements[-1].frame.capture
        assert capture is not None
        assert told.id in (capture.exposure_command, capture.lens.command)
        assert world.pending.is_awaited(capture, world.now_ns)
        world.pending.answered(capture)
        assert not world.pending.is_awaited(capture, world.now_ns)


def test_the_random_worlds_contain_every_kind_of_event() -> None:
    """Worlds without fresh frames, lost messages or refusals would prove nothing."""
    fresh = refused = lost = stale = 0
    for seed in range(40):
        world = World(random.Random(seed))
        _live(world, 30)
        fresh += len({id(judgement.frame) for judgement in world.judgements})
        stale += len(world.frames)
        refused += world.lens_gate.refused + world.camera_gate.refused
        lost += sum(told.became < 0 for told in world.told.values())
    assert fresh > 200
    assert stale > 2 * fresh
    assert refused > 100
    assert lost > 100


# One thing at a time.


def lens(move: int, command: CommandId, sequence: int | None = None) -> LensState:
    said = move if sequence is None else sequence
    return LensState(command, 30.0, 30.0, True, 0, driver="lens", sequence=said, move=move)


def capture(
    sequence: int, exposure: CommandId = NO_COMMAND, shown: LensState | None = None, driver: str = "camera"
) -> CaptureInfo:
    position = NOWHERE if shown is None else shown.last_move
    return CaptureInfo(0, 1000.0, 0.0, exposure, sequence, driver=driver, lens=position)


def pending_commands(*heard: LensState | CaptureInfo) -> PendingCommands:
    pending = PendingCommands(POSITIONS, EXPOSURES_US)
    for it in heard:
        _ = pending.lens_reported(it, 0) if isinstance(it, LensState) else pending.captured(it, 0)
    return pending


commands = st.builds(CommandId, st.sampled_from("ab"), st.integers(0, 2))
positions = st.builds(LensMove, st.sampled_from(["", "l", "m"]), st.integers(0, 2), commands)


@given(commands, commands, commands, positions, positions, st.booleans())
def test_only_frames_of_the_newest_commands_answer(
    made: CommandId, exposure: CommandId, moved: CommandId, shown: LensMove, at: LensMove, fault: bool
) -> None:
    frame = CaptureInfo(0, 1.0, 0.0, made, 0, lens=shown)
    faults = ("gone",) if fault else ()
    state = LensState(at.command, 30.0, 30.0, True, 0, faults, driver=at.driver, move=at.move)
    expected = made == exposure and at.command == moved and shown == at != NOWHERE and not fault
    assert answers(frame, state, exposure, moved) == expected


def test_a_pending_command_makes_every_frame_stale() -> None:
    rests = lens(1, L1)
    pending = pending_commands(rests, before := capture(0, NO_COMMAND, rests))
    assert pending.is_fresh(before, 0)
    pending.lens_sent(30.0, L2, 0)
    assert not pending.is_fresh(before, 1)
    moved = lens(2, L2)
    pending.lens_reported(moved, 2)
    assert not pending.is_fresh(before, 2)
    pending.captured(after := capture(1, NO_COMMAND, moved), 3)
    assert pending.is_fresh(after, 3)


def test_an_older_exposure_is_never_fresh_again_once_a_newer_one_was_taken_up() -> None:
    rests = lens(1, L1)
    pending = pending_commands(rests, old := capture(0, H1, rests))
    pending.exposure_sent(1000.0, H2, 0)
    pending.captured(new := capture(1, H2, rests), 1)
    pending.answered(new)
    for now_ns in (1, GRACE_NS - 1, GRACE_NS + 10**8, 100 * GRACE_NS):
        assert not pending.is_fresh(old, now_ns)
        assert not pending.is_awaited(old, now_ns)
        assert pending.is_fresh(new, now_ns)


@pytest.mark.parametrize("exposure_us", [1000.0, 5e6])
def test_an_unanswered_command_blocks_for_the_grace_time(exposure_us: float) -> None:
    rests = lens(1, L1)
    pending = pending_commands(rests, frame := capture(0, NO_COMMAND, rests))
    pending.exposure_sent(exposure_us, H1, 0)
    until_ns = GRACE_NS + round(exposure_us * 1e3)
    assert not pending.is_fresh(frame, until_ns - 1)
    assert pending.is_fresh(frame, until_ns)


@given(st.floats().filter(lambda v: not 24.0 <= v <= 70.0))
def test_a_command_that_no_driver_accepts_is_ignored(position: float) -> None:
    rests = lens(1, L1)
    pending = pending_commands(rests, frame := capture(0, NO_COMMAND, rests))
    pending.limit_exposures(24.0, 1e6)
    pending.lens_sent(position, L2, 0)
    pending.lens_sent(30.0, NO_COMMAND, 0)
    pending.exposure_sent(float("nan"), H1, 0)
    pending.exposure_sent(5e6, H2, 0)
    assert pending.is_fresh(frame, 1)


def test_no_frame_is_fresh_before_the_lens_is_known_nor_while_it_reports_a_fault() -> None:
    rests = lens(1, L1)
    frame = capture(0, NO_COMMAND, rests)
    assert not pending_commands(frame).is_fresh(frame, 0)
    broken = LensState(L1, 30.0, 30.0, False, 0, ("gone",), driver="lens", sequence=2, move=1)
    pending = pending_commands(rests, frame, broken)
    assert not pending.is_fresh(frame, 0)
    # It was given the same command again: that is another move.
    again = lens(2, L1, sequence=3)
    pending.lens_reported(again, 0)
    assert not pending.is_fresh(frame, 0)
    pending.captured(after := capture(1, NO_COMMAND, again), 0)
    assert pending.is_fresh(after, 0)


def test_a_restarted_driver_starts_a_new_count() -> None:
    rests = lens(1, NO_COMMAND)
    pending = pending_commands(rests, old := capture(50, NO_COMMAND, rests))
    pending.captured(new := capture(0, NO_COMMAND, rests, "camera, started anew"), 0)
    assert pending.is_fresh(new, 0)
    assert not pending.is_fresh(old, 0)
    # What its predecessor said comes late.
    pending.captured(capture(51, NO_COMMAND, rests), LATE_NS - 1)
    assert pending.is_fresh(new, LATE_NS)


def test_a_driver_that_keeps_publishing_is_heard_again() -> None:
    """A foreign node that publishes in a driver's name does not silence it for ever."""
    newest = NewestMessage()
    assert newest.is_newest("driver", 7, 0)
    assert newest.is_newest("stranger", 2**64 - 1, 1)
    assert not newest.is_newest("driver", 8, 2)
    assert newest.is_newest("driver", 9, LATE_NS + 1)
    assert not newest.is_newest("driver", 9, LATE_NS + 2)
