"""How a hold ends, and what it commands."""

from __future__ import annotations

import pytest
from analytic_rig import AnalyticRig
from pixel_rig import LENS, NEAR_D, PixelRig

from dasha_ros.control.deadline import within
from dasha_ros.control.hold import hold_exposure, hold_focus
from dasha_ros.control.rig import RigError
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.selection import Region, Selection

LABELS, SELECTION = Selection.of_goal((), Region(0.40, 0.32, 0.60, 0.66))
TASK = FocusTask(LENS, LABELS, selection=SELECTION)


def after(looks: int, reason: ErrorCode):
    """Interrupts after so many looks."""
    left = [looks]

    def interrupted():
        left[0] -= 1
        return reason if left[0] < 0 else None

    return interrupted


@pytest.mark.parametrize("reason", [ErrorCode.CANCELED, ErrorCode.TIME_EXHAUSTED, ErrorCode.PREEMPTED])
def test_whoever_asked_ends_it_well_and_a_still_object_was_never_moved(reason):
    rig, commands, looks = PixelRig(NEAR_D, lambda blur: 0.0), [], []
    first = rig.observe()

    def look(position):
        commands.append(position)
        return rig.move(position)

    code, what, steps = hold_focus(look, TASK, first, looks.append, after(12, reason))
    assert (code, what, steps) == (ErrorCode.NONE, "", 0)
    assert commands == [first.lens.commanded_position] * 12
    assert len(looks) == 12
    assert looks[-1].sharpness > 0.9


@pytest.mark.parametrize("reason", [ErrorCode.SHUTDOWN, ErrorCode.CLIENT_GONE])
def test_other_reasons_are_failures(reason):
    rig = PixelRig(NEAR_D, lambda blur: 0.0)
    code, what, _ = hold_focus(rig.move, TASK, rig.observe(), lambda look: None, after(3, reason))
    assert (code, what) == (reason, "the object was held until then")


def test_a_lost_device_ends_it_with_its_code():
    rig, left = PixelRig(NEAR_D, lambda blur: 0.0), [5]

    def look(position):
        left[0] -= 1
        if not left[0]:
            raise RigError(ErrorCode.LENS_LOST, "it fell off")
        return rig.move(position)

    outcome = hold_focus(look, TASK, rig.observe(), lambda look: None, lambda: None)
    assert outcome == (ErrorCode.LENS_LOST, "it fell off", 0)


def test_an_interruption_while_a_picture_is_awaited_ends_it_well():
    rig = PixelRig(NEAR_D, lambda blur: 0.0)

    def look(position):
        raise RigError(ErrorCode.CANCELED, "interrupted while waiting for a frame")

    outcome = hold_focus(look, TASK, rig.observe(), lambda look: None, lambda: None)
    assert outcome == (ErrorCode.NONE, "", 0)


def test_the_exposure_follows_the_light_until_the_time_is_up():
    rig, now = AnalyticRig(), [0.0]
    first = rig.observe()

    def look(exposure_us):
        now[0] += 0.1
        if now[0] > 1.0:
            rig.grey_per_us = 100.0 / 20_000.0 / 4.0
        return rig.expose(exposure_us)

    def told(look):
        greys.append(look.percept.mean_grey)

    greys: list[float] = []
    late = within(4.0, now=lambda: now[0])
    code, _, steps = hold_exposure(look, ExposureTask(rig.table), first, told, late)
    assert code is ErrorCode.NONE
    assert 1 <= steps <= 4
    assert greys[-1] == pytest.approx(first.mean_grey, rel=0.3)
