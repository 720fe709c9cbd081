"""A whole goal in one process: exposure, focus, the object's own light; what `focus_on_object` does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.pursuit import Ended, pursue
from dasha_ros.control.rig import Metering, Rig
from dasha_ros.control.step import HIGH_LEVEL, ExposureOutcome, FocusOutcome, Interrupt, OnStep, Step
from dasha_ros.optics.exposure_table import without_gain_us
from dasha_ros.policies.object_exposure import (
    COMMANDS,
    Hidden,
    ObjectExposure,
    ShiftedExposure,
    Wanted,
    object_ev,
    was_taken_back,
)
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposurePolicy, ExposureTask, FocusPolicy, FocusTask

Told = tuple[OnStep | None, Interrupt | None]
"""Who is told of each step, and who says when to end."""
UNTOLD: Told = (None, None)


@dataclass(frozen=True, slots=True)
class GoalOutcome:
    """How a whole goal ended."""

    code: ErrorCode
    message: str
    """What happened and what to do; empty on success."""
    exposure: ExposureOutcome
    """The last of A^H; its steps are those of all its looks together."""
    focus: FocusOutcome | None
    """The last of A^L, its percept and detection those at the end of the goal; ``None``: it never acted."""
    focus_steps: int
    """Commands of A^L, in all its searches."""


def run_goal(
    rig: Rig,
    policies: tuple[ExposurePolicy, FocusPolicy],
    tasks: tuple[ExposureTask, FocusTask],
    on_step: OnStep | None = None,
    interrupted: Interrupt | None = None,
    *,
    meters: bool = True,
) -> GoalOutcome:
    """A^H, then A^L, with the looks at the object's own light.

    Args:
        rig: Camera and lens. One that is not `Metering` tells nothing of the object's light.
        policies: Of A^H and A^L.
        tasks: Of A^H and A^L.
        on_step: Told of each step.
        interrupted: Says when to end.
        meters: Whether the object's own light counts.
    """
    meters = meters and isinstance(rig, Metering)
    parts = _RigParts(rig, policies, tasks, (on_step, interrupted), meters)
    code, message = pursue(parts, meters=meters)
    if isinstance(rig, Metering):
        rig.meter(None)
    return GoalOutcome(code, message, parts.exposed, parts.found, parts.focus_steps)


def expose_object(
    rig: Rig,
    policy: ExposurePolicy,
    task: ExposureTask,
    wanted: Wanted | None,
    told: Told = UNTOLD,
) -> ExposureOutcome:
    """A goal of A^H, and then the second look, if the object is seen.

    Args:
        rig: Camera and lens.
        policy: Exposes the picture.
        task: Of A^H.
        wanted: The object whose light counts; ``None``: none.
        told: Is told of each step, and says when to end.
    """
    if isinstance(rig, Metering):
        rig.meter(None if wanted is None else wanted.region)
    exposed = run_exposure(rig, policy, task, *told)
    if wanted is None or exposed.code is not ErrorCode.NONE:
        return exposed
    return second_look(rig, task, wanted, exposed, told, left=task.max_steps - exposed.steps)


def second_look(
    rig: Rig,
    task: ExposureTask,
    wanted: Wanted,
    exposed: ExposureOutcome,
    told: Told = UNTOLD,
    *,
    left: int = COMMANDS,
) -> ExposureOutcome:
    """Bring the object's own light into range, with at most `COMMANDS` commands.

    If only fewer are ``left``, there is none: the second command may have to take the first one back.
    ``exposed`` is where to begin; other arguments as for `expose_object`.
    """
    if left < COMMANDS:
        return exposed
    task = replace(task, max_steps=exposed.steps + COMMANDS)
    return run_exposure(rig, ObjectExposure(wanted), task, *told, after=exposed)


def shift(
    rig: Rig,
    task: ExposureTask,
    ev: float,
    exposed: ExposureOutcome,
    told: Told = UNTOLD,
) -> ExposureOutcome:
    """Make the picture brighter by ``ev`` [EV]; other arguments as for `second_look`."""
    task = replace(task, max_steps=exposed.steps + 1)
    return run_exposure(rig, ShiftedExposure(ev), task, *told, after=exposed)


class _RigParts:
    """`Parts` over a rig."""

    def __init__(
        self,
        rig: Rig,
        policies: tuple[ExposurePolicy, FocusPolicy],
        tasks: tuple[ExposureTask, FocusTask],
        told: Told,
        meters: bool,
    ) -> None:
        self._rig, (self._high, self._low), (self._expose, self._focus) = rig, policies, tasks
        self._on_step, self._told = told[0], (self._see, told[1])
        self._exposures_us: list[float] = []
        focus = self._focus
        self._wanted = Wanted(focus.labels, focus.min_score, focus.selection)
        self._meters = meters
        self.exposed = ExposureOutcome(ErrorCode.NONE, "")
        self.found: FocusOutcome | None = None
        self.focus_steps = 0
        self.hidden, self.may_search = Hidden(), True

    def expose(self) -> Ended:
        wanted = self._wanted if self._meters else None
        return self._now(expose_object(self._rig, self._high, self._expose, wanted, self._told))

    def focus(self) -> Ended:
        self.found = found = run_focus(self._rig, self._low, self._focus, *self._told)
        self.focus_steps += found.steps
        return found.code, found.message

    def _see(self, step: Step) -> None:
        self.hidden.see(step.percept)
        if step.agent == HIGH_LEVEL:
            capture = step.percept.capture
            self._exposures_us.append(without_gain_us(capture.exposure_us, capture.gain_db))
        if self._on_step is not None:
            self._on_step(step)

    def shift(self, ev: float) -> Ended:
        ended = self._now(shift(self._rig, self._expose, ev, self.exposed, self._told))
        return ended if ended[0] is not ErrorCode.NONE else self._look(self.exposed)

    def is_off(self) -> bool:
        if was_taken_back(self._exposures_us):
            return False
        percept = None if self.found is None else self.found.percept
        light = None if percept is None else self._wanted.light(percept)
        return percept is not None and light is not None and object_ev(light, percept.mean_grey) != 0.0

    def meter(self) -> Ended:
        assert self.found is not None
        ended = self._look(replace(self.exposed, percept=self.found.percept))
        if (percept := self.exposed.percept) is not None:
            self.found = replace(self.found, percept=percept, detection=self._wanted.seen(percept))
        return ended

    def hold(self) -> Ended:
        return ErrorCode.NONE, ""

    def _look(self, begun: ExposureOutcome) -> Ended:
        return self._now(second_look(self._rig, self._expose, self._wanted, begun, self._told))

    def _now(self, exposed: ExposureOutcome) -> Ended:
        self.exposed = exposed
        return exposed.code, exposed.message
