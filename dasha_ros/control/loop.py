"""One goal of one agent: observe, decide, apply, observe again, until the end.

The same functions run over a `TwinRig` in a benchmark and over ROS in the agent nodes. They
leave the rig where the goal ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dasha_ros.control.rig import Rig, RigError, checked
from dasha_ros.control.step import (
    EXPOSURE_US,
    HIGH_LEVEL,
    LENS_POSITION,
    LOW_LEVEL,
    Command,
    ExposureOutcome,
    FocusOutcome,
    Interrupt,
    OnStep,
    Step,
)
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.object_evidence import ObjectEvidence
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.policies.policy import (
    ExposureDecision,
    ExposurePolicy,
    ExposureTask,
    FocusDecision,
    FocusPolicy,
    FocusTask,
)
from dasha_ros.policies.reached import exposure_verdict, focus_verdict, not_found, seen
from dasha_ros.policies.rewards import Reward, reward_exposure, reward_focus
from dasha_ros.policies.selection import Choice
from dasha_ros.policies.steady_light import SteadyExposure

Decision = TypeVar("Decision", ExposureDecision, FocusDecision)

_STOPPED = {
    ErrorCode.TIME_EXHAUSTED: "The time of the goal is up",
    ErrorCode.CANCELED: "The goal was cancelled",
    ErrorCode.PREEMPTED: "A newer goal took over",
    ErrorCode.SHUTDOWN: "The node was deactivated or is stopping",
    ErrorCode.CLIENT_GONE: "The client is gone",
}


def run_exposure(
    rig: Rig,
    policy: ExposurePolicy,
    task: ExposureTask,
    on_step: OnStep | None = None,
    interrupted: Interrupt | None = None,
    *,
    after: ExposureOutcome | None = None,
) -> ExposureOutcome:
    """One goal of A^H (paper, Algorithm 1).

    Ends when the policy says so, after ``task.max_steps`` commands, when ``interrupted`` gives a
    reason, when the rig gives no answer, or at the first percept that holds no finite numbers.
    Failures of the rig and invalid percepts raise nothing: the outcome's code tells of them.
    Under lamps that flicker, exposures are rounded to whole flickers (`policies.steady_light`).

    Args:
        rig: Camera and lens.
        policy: Decides.
        task: The goal.
        on_step: Told of each step.
        interrupted: Says when to end.
        after: Go on from where a goal of A^H ended well, without another picture. What the policy then makes
            of it is not judged, and its steps are counted on.
    """

    def command(decision: ExposureDecision) -> Command:
        table = steady.table
        if not 0 <= decision.index < len(table):
            raise _bad_decision(policy.name, f"exposure {decision.index} of a table of {len(table)}")
        return Command(EXPOSURE_US, table.exposure_us(decision.index))

    def verdict(decision: ExposureDecision, percept: Percept) -> tuple[ErrorCode, str]:
        if after is not None:
            return ErrorCode.NONE, ""
        return exposure_verdict(policy.rule, percept, task.table)

    steady = SteadyExposure(policy)
    steady.reset(task)
    run = _run(
        _Goal(HIGH_LEVEL, task.max_steps, steady.act, reward_exposure, command, rig.expose, verdict),
        rig,
        on_step,
        interrupted,
        _Run() if after is None else _Run(after.steps, after.percept),
    )
    return ExposureOutcome(run.code, explain(run.code, run.what_happened), run.steps, run.percept)


def run_focus(
    rig: Rig,
    policy: FocusPolicy,
    task: FocusTask,
    on_step: OnStep | None = None,
    interrupted: Interrupt | None = None,
) -> FocusOutcome:
    """One goal of A^L (paper, Algorithm 2).

    Ends like `run_exposure`. The policy's word is not enough for success: a wanted object must
    be detected in the last percept, with a BRISQUE of at most ``task.max_brisque``, and what the goal's
    pictures show of the object's own detail must not speak against its sharpness. All of them see only what
    the goal selects. If the lens begins outside of its limits, it first goes to the nearest of them.
    """
    evidence = ObjectEvidence(task)
    chosen = _Chosen(task)
    low, high = task.lens.position_min, task.lens.position_max

    def act(percept: Percept) -> FocusDecision:
        position = percept.lens.commanded_position
        if not low <= position <= high:
            return FocusDecision(min(max(position, low), high))
        picture = chosen(percept)
        evidence.see(picture)
        return policy.act(picture)

    def reward(percept: Percept) -> Reward:
        return reward_focus(chosen(percept), task.labels, task.min_score)

    def command(decision: FocusDecision) -> Command:
        if not (math.isfinite(decision.position) and low <= decision.position <= high):
            raise _bad_decision(
                policy.name, f"{decision.position!r} {task.lens.unit}, outside {low:g}..{high:g}"
            )
        return Command(LENS_POSITION, decision.position)

    def verdict(decision: FocusDecision, percept: Percept) -> tuple[ErrorCode, str]:
        if not decision.found:
            return not_found(task)
        return focus_verdict(chosen(percept), task, evidence.probability)

    policy.reset(task)
    run = _run(
        _Goal(LOW_LEVEL, task.max_steps, act, reward, command, rig.move, verdict),
        rig,
        on_step,
        interrupted,
    )
    detections = seen(chosen(run.percept), task) if run.percept else ()
    message = explain(run.code, run.what_happened)
    return FocusOutcome(run.code, message, run.steps, run.percept, detections[0] if detections else None)


class _Chosen:
    """What a goal's `Choice` sees in its newest picture: it must see every picture once."""

    def __init__(self, task: FocusTask) -> None:
        self._choice = Choice(task.selection, task.labels, task.min_score)
        self._newest: tuple[Percept, Percept] | None = None

    def __call__(self, percept: Percept) -> Percept:
        if self._newest is None or self._newest[0] is not percept:
            self._newest = percept, self._choice(percept)
        return self._newest[1]


class _EndError(Exception):
    """Ends a goal with an error code."""

    def __init__(self, code: ErrorCode, what_happened: str) -> None:
        super().__init__(what_happened)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Goal(Generic[Decision]):
    """The parts of a goal that differ between the two agents."""

    agent: str
    max_steps: int
    decide: Callable[[Percept], Decision]
    reward: Callable[[Percept], Reward]
    command: Callable[[Decision], Command]
    apply: Callable[[float], Percept]
    verdict: Callable[[Decision, Percept], tuple[ErrorCode, str]]


@dataclass(slots=True)
class _Run:
    """Progress and result of a goal."""

    steps: int = 0
    percept: Percept | None = None
    code: ErrorCode = ErrorCode.NONE
    what_happened: str = ""


def _run(
    goal: _Goal[Decision],
    rig: Rig,
    on_step: OnStep | None,
    interrupted: Interrupt | None,
    begun: _Run | None = None,
) -> _Run:
    run = begun or _Run()
    try:
        decision, percept = _play(goal, rig, run, on_step, interrupted)
        run.code, run.what_happened = goal.verdict(decision, percept)
    except (_EndError, RigError) as error:
        run.code, run.what_happened = ErrorCode(error.code), str(error)
    return run


def _play(
    goal: _Goal[Decision], rig: Rig, run: _Run, on_step: OnStep | None, interrupted: Interrupt | None
) -> tuple[Decision, Percept]:
    """Step until the policy is done; return its last decision and the percept that it is based on."""
    command: Command | None = None
    while True:
        _heed(interrupted)
        is_known = command is None and run.percept is not None
        if command is not None:
            percept = goal.apply(command.value)
            run.steps += 1
        else:
            percept = run.percept or rig.observe()
        run.percept = checked(percept)
        _heed(interrupted)
        decision = goal.decide(percept)
        if on_step is not None and not is_known:
            on_step(Step(goal.agent, run.steps, command, percept, goal.reward(percept), decision))
        if decision.done:
            return decision, percept
        if run.steps >= goal.max_steps:
            steps = "1 step" if run.steps == 1 else f"{run.steps} steps"
            raise _EndError(ErrorCode.STEPS_EXHAUSTED, f"{goal.agent} has not finished after {steps}")
        command = goal.command(decision)


def _heed(interrupted: Interrupt | None) -> None:
    if interrupted is not None and (reason := interrupted()) is not None:
        raise _EndError(reason, _STOPPED.get(reason, f"The goal was stopped ({reason.name})"))


def _bad_decision(policy: str, asked: str) -> _EndError:
    return _EndError(ErrorCode.INTERNAL, f"Policy {policy!r} asked for {asked}; nothing was sent")
