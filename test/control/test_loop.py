"""One goal of one agent, whatever the rig does."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig, Thing

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.rig import RigError
from dasha_ros.control.step import Command
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.outcome import ErrorCode, advice
from dasha_ros.policies.policy import ExposureDecision, ExposureTask, FocusDecision, FocusTask

CAT = frozenset({"cat"})


class Script:
    """A focus policy that plays back decisions and keeps what it was shown."""

    name = "script"

    def __init__(self, *decisions: FocusDecision) -> None:
        self.decisions, self.shown, self.resets = list(decisions), [], 0

    def reset(self, task) -> None:
        self.resets += 1

    def act(self, percept):
        self.shown.append(percept)
        return self.decisions.pop(0)


class Broken(AnalyticRig):
    """Fails or lies at a chosen command."""

    def __init__(self, at: int, failure=None, **changes) -> None:
        super().__init__()
        self.at, self.failure, self.changes, self.calls = at, failure, changes, 0

    def _look(self):
        self.calls += 1
        percept = super()._look()
        if self.calls - 1 < self.at:
            return percept
        if self.failure:
            raise self.failure
        return replace(percept, **self.changes)


def focus(rig, policy, on_step=None, interrupted=None, **task):
    return run_focus(rig, policy, FocusTask(rig.lens, CAT, **task), on_step, interrupted)


def test_every_step_names_its_command_its_percept_and_its_reward():
    rig, steps = AnalyticRig(), []
    outcome = focus(rig, CoarseToFineFocus(), steps.append)
    assert [s.index for s in steps] == list(range(outcome.steps + 1))
    assert steps[0].command is None
    for before, step in itertools.pairwise(steps):
        assert step.command == Command("lens_position", before.decision.position)
        assert step.percept.lens.commanded_position == step.command.value
        seen = bool(step.percept.of(CAT, 0.3))
        assert step.reward.value == pytest.approx(-0.01 * step.percept.brisque if seen else -1.0)
    assert steps[-1].decision.done
    assert outcome.percept is steps[-1].percept
    assert {s.agent for s in steps} == {"A^L"}


def test_exposure_steps_command_values_of_the_table():
    rig, steps = AnalyticRig(exposure_us=30.0), []
    outcome = run_exposure(rig, HistogramExposure(), ExposureTask(rig.table), steps.append)
    assert outcome.code is ErrorCode.NONE
    assert outcome.message == ""
    assert all(s.command.value in rig.table.values_us for s in steps[1:])
    assert steps[-1].agent == "A^H"


@pytest.mark.parametrize("at", [0, 1, 5])
@pytest.mark.parametrize(
    "changes", [{"brisque": math.nan}, {"mean_grey": math.inf}, {"latent": np.full(4, np.nan)}]
)
def test_percepts_that_are_no_numbers_end_the_goal_and_reach_nobody(at, changes):
    rig, steps = Broken(at, **changes), []
    outcome = focus(rig, CoarseToFineFocus(), steps.append)
    assert outcome.code is ErrorCode.PERCEPT_INVALID
    assert "finite" in outcome.message
    assert all(s.percept.is_finite() for s in steps)
    assert len(steps) == at
    assert outcome.steps == at
    assert outcome.percept is (steps[-1].percept if steps else None)


@pytest.mark.parametrize("code", [ErrorCode.CAMERA_LOST, ErrorCode.LENS_LOST, ErrorCode.PERCEPTION_LOST])
@pytest.mark.parametrize("at", [0, 3])
def test_a_rig_that_does_not_answer_is_the_outcome(code, at):
    outcome = focus(Broken(at, RigError(code, "nothing came")), CoarseToFineFocus())
    assert outcome.code is code
    assert outcome.message == f"nothing came. {advice(code)}"


@pytest.mark.parametrize("reason", [ErrorCode.CANCELED, ErrorCode.PREEMPTED, ErrorCode.SHUTDOWN])
def test_an_interrupt_takes_effect_before_the_next_command(reason):
    rig, steps = AnalyticRig(), []
    outcome = focus(rig, CoarseToFineFocus(), steps.append, lambda: reason if len(steps) >= 4 else None)
    assert outcome.code is reason
    assert len(steps) == 4
    assert len(rig.history) == 3
    assert outcome.message


def test_an_interrupt_while_a_percept_was_awaited_keeps_it_from_the_policy():
    rig, policy = AnalyticRig(), Script(FocusDecision(40.0), FocusDecision(41.0))
    outcome = focus(rig, policy, None, lambda: ErrorCode.CANCELED if rig.history else None)
    assert outcome.code is ErrorCode.CANCELED
    assert len(policy.shown) == 1


def test_steps_are_bounded_and_the_last_percept_is_still_judged():
    moves = [FocusDecision(40.0 + i) for i in range(3)]
    outcome = focus(AnalyticRig(), Script(*moves, FocusDecision(42.0)), max_steps=3)
    assert (outcome.code, outcome.steps) == (ErrorCode.STEPS_EXHAUSTED, 3)
    rig = AnalyticRig()
    final = FocusDecision(rig.lens.position(1.0), done=True, found=True)
    outcome = focus(rig, Script(FocusDecision(40.0), FocusDecision(final.position), final), max_steps=2)
    assert (outcome.code, outcome.steps) == (ErrorCode.NONE, 2)


@pytest.mark.parametrize("position", [math.nan, math.inf, 23.9, 70.1])
def test_positions_that_no_lens_may_get_are_never_sent(position):
    rig = AnalyticRig()
    outcome = focus(rig, Script(FocusDecision(position)))
    assert outcome.code is ErrorCode.INTERNAL
    assert "script" in outcome.message
    assert rig.history == []


@pytest.mark.parametrize("index", [-1, 146])
def test_exposures_outside_the_table_are_never_sent(index):
    rig = AnalyticRig()
    outcome = run_exposure(rig, Script(ExposureDecision(index)), ExposureTask(rig.table))
    assert outcome.code is ErrorCode.INTERNAL
    assert rig.history == []


def test_a_policy_that_claims_an_object_nobody_sees_is_not_believed():
    outcome = focus(AnalyticRig(position=70.0), Script(FocusDecision(70.0, done=True, found=True)))
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND
    assert "cat" in outcome.message


def test_any_object_counts_when_none_was_named():
    rig = AnalyticRig((Thing(),))
    outcome = run_focus(rig, CoarseToFineFocus(), FocusTask(rig.lens))
    assert outcome.detection.label == "cat"
    empty = AnalyticRig(())
    assert "No object" in run_focus(empty, CoarseToFineFocus(), FocusTask(empty.lens)).message
