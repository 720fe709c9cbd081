"""The parts of a goal of the focus server, each done by one of the agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus
from dasha_ros.control.pursuit import Ended
from dasha_ros.freshness.command import FrameId
from dasha_ros.optics.exposure_table import without_gain_us
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.object_exposure import COMMANDS, UNSURE, Hidden, object_ev, was_taken_back
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.ros.goals.agent_client import AgentClient
from dasha_ros.ros.goals.goal_server import GoalServer
from dasha_ros.ros.goals.parts.messages import WantedGoal, exposure_request, focus_request
from dasha_ros.ros.goals.requests import selection_of
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport.conversions import frame_from_msg, light_from_msg
from dasha_ros.system import shutdown_limits


class Asker(Protocol):
    """The goal that the parts belong to."""

    @property
    def left(self) -> int:
        """How many steps it still has."""
        ...

    def begin(self, phase: int, message: str) -> None:
        """Publish which part begins."""
        ...

    def ask(
        self,
        agent: AgentClient,
        goal: Any,
        lost: ErrorCode,
        interrupted: Callable[[], ErrorCode | None] | None = None,
    ) -> Ended:
        """Let an agent do its part."""
        ...

    def stop_following(self) -> Ended | None:
        """End what follows the light; return how it failed, or `None`."""
        ...

    def exposed(self, detection: Detection, brisque: float) -> None:
        """Note what the object looks like in its own light."""
        ...


class AgentParts:
    """`control.pursuit.Parts` over the agents' actions."""

    def __init__(self, server: GoalServer, run: ActiveGoal, goal: WantedGoal, asker: Asker) -> None:
        """Nothing asked yet."""
        self._server, self._run, self._goal, self._asker = server, run, goal, asker
        self._labels, self._selection = selection_of(run.request)
        self.meters = server.config.meter_object and not goal.keep_exposure and not run.background
        """Whether the object's own light counts. Agents learn from goals without."""
        self._waiter = Waiter()
        self._exposed: Percept | None = None
        """A^H's newest picture."""
        self._exposures_us: list[float] = []
        self.hidden = Hidden()
        self._found: AdjustFocus.Result | None = None
        """The newest answer of A^L."""
        self._held = False
        self._seen = msg.FrameId()
        """The last frame that an agent of this goal used."""

    def answered(self, answer: Any) -> None:
        """Note an agent's answer."""
        self._seen = answer.frame
        if isinstance(answer, AdjustFocus.Result):
            self._found = answer

    def looked(self, percept: Percept) -> None:
        """Note a picture of either agent."""
        self.hidden.see(percept)

    def saw(self, percept: Percept) -> None:
        """Note a picture of A^H. It comes with feedback, which may arrive after the answer."""
        self._exposed = percept
        self._exposures_us.append(without_gain_us(percept.capture.exposure_us, percept.capture.gain_db))
        self._waiter.notify()

    def expose(self) -> Ended:
        """See `Parts`."""
        if self._goal.keep_exposure:
            return ErrorCode.NONE, ""
        self._asker.begin(msg.FocusState.EXPOSING, "setting the exposure")
        kind = AdjustExposure.Goal
        metering = kind.METER_AFTERWARDS if self.meters else kind.NO_METERING
        return self._light(
            metering=metering, max_steps=self._run.request.max_steps, steps_left=self._asker.left
        )

    def focus(self) -> Ended:
        """See `Parts`. An object that A^H has seen is exposed, so A^L goes on to hold it."""
        seen = self._exposed and self._selection.counted(
            self._exposed, self._labels, UNSURE * self._goal.min_score
        )
        return self._focus(hold=self._goal.hold and (not self.meters or bool(seen)))

    def hold(self) -> Ended:
        """See `Parts`."""
        return self._focus(hold=True) if self._goal.hold and not self._held else (ErrorCode.NONE, "")

    def _focus(self, *, hold: bool) -> Ended:
        self._held = hold
        goal, left = self._goal, self._asker.left
        if left <= 0:
            steps = "the only step" if goal.max_steps == 1 else f"all {goal.max_steps} steps"
            return ErrorCode.STEPS_EXHAUSTED, explain(ErrorCode.STEPS_EXHAUSTED, f"The exposure took {steps}")
        self._asker.begin(msg.FocusState.FOCUSING, f"looking for {self._selection.what(goal.labels)}")
        request = focus_request(
            goal,
            max_steps=left,
            hold=hold,
            background=self._run.background,
            owner=self._server.actuators.lens_owner,
            # A^H's last frame was exposed for this goal, so A^L need not take it again.
            not_before=self._seen,
        )
        ended = self._asker.ask(self._server.focus_agent, request, ErrorCode.FOCUS_AGENT_LOST)
        return self._asker.stop_following() or ended

    @property
    def may_search(self) -> bool:
        """See `Parts`: one step for the exposure, and one for the lens."""
        return self._asker.left >= 2

    def shift(self, ev: float) -> Ended:
        """See `Parts`."""
        where = "the shadows" if ev > 0.0 else "the bright parts"
        self._asker.begin(msg.FocusState.EXPOSING, f"nothing found; showing {where}")
        return self._meter(shift_ev=ev)

    def is_off(self) -> bool:
        """See `Parts`. An object that was held may be elsewhere by now."""
        if self._asker.left < COMMANDS:
            return False
        found = self._found
        light = None if found is None else light_from_msg(found.detection.light)
        if found is None or light is None or self._held or was_taken_back(self._exposures_us):
            return False
        return object_ev(light, found.mean_grey) != 0.0

    def meter(self) -> Ended:
        """See `Parts`."""
        self._asker.begin(msg.FocusState.EXPOSING, "setting the exposure for the object")
        ended = self._meter()
        last = frame_from_msg(self._seen)
        self._waiter.within(shutdown_limits.PICTURE_S, lambda: self._frame == last)
        if self._exposed is not None and self._frame == last:
            found = self._selection.counted(self._exposed, self._labels, self._goal.min_score)
            if found:
                self._asker.exposed(found[0], float(self._exposed.brisque))
        return ended

    def follow(self, interrupted: Callable[[], ErrorCode | None]) -> Ended:
        """Follow the light until ``interrupted`` gives a reason."""
        return self._light(interrupted, hold=True)

    @property
    def _frame(self) -> FrameId | None:
        return None if self._exposed is None else self._exposed.capture.id

    def _meter(self, **more: Any) -> Ended:
        return self._light(
            metering=AdjustExposure.Goal.METER_ONLY,
            not_before=self._seen,
            steps_left=self._asker.left,
            **more,
        )

    def _light(self, interrupted: Callable[[], ErrorCode | None] | None = None, **more: Any) -> Ended:
        request = exposure_request(
            self._goal,
            background=self._run.background,
            owner=self._server.actuators.exposure_owner,
            **more,
        )
        return self._asker.ask(
            self._server.exposure_agent, request, ErrorCode.EXPOSURE_AGENT_LOST, interrupted
        )
