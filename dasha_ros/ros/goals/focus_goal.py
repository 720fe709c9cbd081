"""One goal of the focus server, from its start to the report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import CompressedImage

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.control.step import LOW_LEVEL
from dasha_ros.freshness import limits
from dasha_ros.freshness.command import CommandId
from dasha_ros.optics.lens_info import position_text
from dasha_ros.perception.percept import Box, Detection, Percept
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.report.writer import ReportWriter
from dasha_ros.ros.goals.agent_client import AgentClient, AgentLostError
from dasha_ros.ros.goals.focus_messages import progress, report_end
from dasha_ros.ros.goals.goal_server import GoalServer
from dasha_ros.ros.goals.recorder import Recorder
from dasha_ros.ros.goals.requests import labels_of, region_to_msg, selection_of
from dasha_ros.ros.goals.restoration import Restoration
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport.conversions import id_from_msg, percept_from_msg

_DISCOVERY_S = 2.0
"""How long to wait for the drivers [s]: a goal may come before this node has discovered them."""
_LOST = {"lens": ErrorCode.LENS_LOST, "camera": ErrorCode.CAMERA_LOST}


@dataclass(frozen=True)
class _Goal:
    """The goal's request, with defaults filled in."""

    labels: tuple[str, ...]
    any_object: bool
    by_priority: bool
    region: Box | None
    min_distance_m: float
    max_distance_m: float
    min_score: float
    max_brisque: float
    max_steps: int
    max_seconds: float
    keep_exposure: bool
    hold: bool


class FocusGoal:
    """Exposes, focuses, restores after a failure, and writes the report."""

    def __init__(self, server: GoalServer, run: ActiveGoal, info: msg.PerceptionInfo, note: str = "") -> None:
        """Prepare a goal; ``note`` is appended to the message of each phase."""
        self._server, self._run, self._info, self._note = server, run, info, note
        self._actuators, config, request = server.actuators, server.config, run.request
        self._wanted, self._selection = selection_of(request)
        self._goal = _Goal(
            labels=labels_of(request),
            any_object=request.any_object,
            by_priority=request.by_priority,
            region=None if self._selection.region is None else self._selection.region.edges,
            min_distance_m=request.min_distance_m,
            max_distance_m=request.max_distance_m,
            min_score=request.min_score or config.min_score,
            max_brisque=request.max_brisque or config.max_brisque,
            max_steps=request.max_steps or config.max_steps,
            max_seconds=request.max_seconds or config.max_seconds,
            keep_exposure=request.keep_exposure,
            hold=request.hold,
        )
        self._phase = msg.FocusState.EXPOSING
        self._steps = {msg.FocusState.EXPOSING: 0, msg.FocusState.FOCUSING: 0, msg.FocusState.HOLDING: 0}
        self._holds: dict[str, int] = {}
        """Commands of each agent while the object was held."""
        self._held = threading.Event()
        """Set when the object is held no more."""
        self._follower: threading.Thread | None = None
        self._unlit: tuple[ErrorCode, str] | None = None
        """How following the light failed."""
        self._result = FocusOnObject.Result()
        self._asked = False
        """Whether an agent was asked. Until then nothing has changed."""
        self._reached: dict[str, CommandId] = {}
        """The last command of each agent that reached its part of the goal, by actuator."""
        self._seen = msg.FrameId()
        """The last frame that an agent of this goal used."""
        self._recorder = Recorder(self._report_failed)
        self._lock = threading.Lock()
        self._waiter = Waiter()
        self._restoration = Restoration(server)

    def work(self) -> FocusOnObject.Result:
        """Reach the goal, or restore lens and exposure."""
        began = time.monotonic()
        own = self._actuators
        own.wait(
            lambda: self._run.reason or (self._drivers_work() and not self._restoration.are_left_behind()),
            _DISCOVERY_S,
        )
        self._restoration.begin()
        config = self._server.config
        if config.report_dir:
            writer = ReportWriter(config.report_dir, config.report_keep)
            with self._lock:
                self._recorder.begin(
                    writer,
                    vars(self._goal),
                    self._info,
                    {"exposure_us": own.exposure_us, **own.lens_values},
                    own.lens_info,
                )
        code, what = self._try()
        if code in (ErrorCode.NONE, ErrorCode.COMMAND_OVERRIDDEN):
            # An actuator that another node did not take over stays as well.
            unconfirmed = self._restoration.confirm(self._reached)
            if unconfirmed and code == ErrorCode.NONE:
                code = self._run.reason or _LOST[unconfirmed[0]]
                what = explain(code, f"the {unconfirmed[0]}'s driver does not confirm its final setting")
        if code != ErrorCode.NONE:
            what = f"{what}{self._restore(code)}"
        self._finish(code, what, time.monotonic() - began)
        return self._result

    def _drivers_work(self) -> bool:
        """Whether both drivers have reported, and the lens works."""
        return self._actuators.exposure_us is not None and self._actuators.lens_works

    def picture(self, message: CompressedImage) -> None:
        """Pass an annotated frame to the report."""
        with self._lock:
            self._recorder.picture(message)
        self._waiter.notify()

    def belief(self, message: msg.Belief) -> None:
        """Pass what A^L believes to the report."""
        with self._lock:
            self._recorder.belief(message)
        self._waiter.notify()

    def _try(self) -> tuple[ErrorCode, str]:
        # If a current setting is unknown, command nothing, because it could not be restored.
        if self._restoration.position is None:
            return ErrorCode.LENS_LOST, explain(ErrorCode.LENS_LOST, "no lens state was ever received")
        if self._restoration.exposure_us is None:
            return ErrorCode.CAMERA_LOST, explain(ErrorCode.CAMERA_LOST, "no frame was ever received")
        try:
            return self._reach()
        except Exception as error:  # A bug must end the goal with an error code, and all is restored.
            self._server.guard.caught("a goal", error)
            return ErrorCode.INTERNAL, explain(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")

    def _reach(self) -> tuple[ErrorCode, str]:
        goal = self._goal
        if not goal.keep_exposure:
            self._begin(msg.FocusState.EXPOSING, "setting the exposure")
            code, what = self._ask(
                self._server.exposure_agent,
                AdjustExposure.Goal(
                    max_steps=self._run.request.max_steps,
                    background=self._run.background,
                    owner=self._actuators.exposure_owner,
                ),
                ErrorCode.EXPOSURE_AGENT_LOST,
            )
            if code != ErrorCode.NONE:
                return code, what
        left = goal.max_steps - self._steps[msg.FocusState.EXPOSING]
        if left <= 0:
            return ErrorCode.STEPS_EXHAUSTED, explain(
                ErrorCode.STEPS_EXHAUSTED, f"the exposure took all {goal.max_steps} steps"
            )
        self._begin(msg.FocusState.FOCUSING, f"looking for {self._selection.what(goal.labels)}")
        code, what = self._ask(
            self._server.focus_agent,
            AdjustFocus.Goal(
                labels=list(goal.labels),
                any_object=goal.any_object,
                by_priority=goal.by_priority,
                region=region_to_msg(self._selection.region),
                min_distance_m=goal.min_distance_m,
                max_distance_m=goal.max_distance_m,
                min_score=goal.min_score,
                max_brisque=goal.max_brisque,
                max_steps=left,
                background=self._run.background,
                owner=self._actuators.lens_owner,
                # A^H's last frame was exposed for this goal, so A^L need not take it again.
                not_before=self._seen,
                hold=goal.hold,
            ),
            ErrorCode.FOCUS_AGENT_LOST,
        )
        return self._stop_following() or (code, what)

    def _follow_light(self) -> None:
        """Let A^H follow the light while A^L holds the object, until `_stop_following`."""
        goal = AdjustExposure.Goal(hold=True, owner=self._actuators.exposure_owner)
        ended = self._ask(
            self._server.exposure_agent,
            goal,
            ErrorCode.EXPOSURE_AGENT_LOST,
            lambda: ErrorCode.CANCELED if self._held.is_set() else self._run.interrupted(),
        )
        if ended[0] != ErrorCode.NONE and self._run.reason is None and not self._held.is_set():
            self._unlit = ended
            self._run.interrupt(ended[0])

    def _stop_following(self) -> tuple[ErrorCode, str] | None:
        """End what `_follow_light` began; return how it failed, or `None`."""
        self._held.set()
        if self._follower is not None:
            self._follower.join()
        return self._unlit

    def _ask(
        self,
        agent: AgentClient,
        goal: Any,
        lost: ErrorCode,
        interrupted: Callable[[], ErrorCode | None] | None = None,
    ) -> tuple[ErrorCode, str]:
        phase, interrupted = self._phase, interrupted or self._run.interrupted
        if self._run.reason is not None:
            return self._run.reason, explain(self._run.reason, self._run.why)
        self._asked = True
        try:
            answer = agent.run(goal, self._on_feedback, interrupted, self._server.config.agent_timeout_s)
        except AgentLostError as error:
            if self._run.reason is not None:
                return self._run.reason, explain(self._run.reason, self._run.why)
            return lost, explain(lost, str(error))
        with self._lock:
            # The last feedback may arrive after the result.
            self._steps[phase] = max(self._steps[phase], answer.steps)
        self._seen = answer.frame
        code, what = ErrorCode(answer.error_code), answer.error_msg
        if self._run.reason is not None and code != ErrorCode.NONE:
            return self._run.reason, explain(self._run.reason, self._run.why)
        if code == ErrorCode.NONE:
            self._reached["lens" if agent is self._server.focus_agent else "camera"] = id_from_msg(
                answer.command
            )
        if isinstance(answer, AdjustFocus.Result):
            self._result.detection, self._result.brisque = answer.detection, answer.brisque
        return code, what

    def _begin(self, phase: int, message: str) -> None:
        self._phase = phase
        self._state(phase, f"{message}{self._note}")

    def _on_feedback(self, feedback: Any) -> None:
        reward, percept = feedback.reward, percept_from_msg(feedback.percept)
        seen = self._selection.counted(percept, self._wanted)
        if getattr(feedback, "holding", False) or self._phase == msg.FocusState.HOLDING:
            self._on_hold(feedback, percept, seen)
            return
        # A^H's last feedback may arrive after its result, when A^L is working already.
        phase = msg.FocusState.EXPOSING if reward.agent == "A^H" else msg.FocusState.FOCUSING
        with self._lock:
            self._steps[phase] = max(self._steps[phase], reward.step)
            self._recorder.step(reward, percept)
            step = sum(self._steps.values())
        self._run.feedback(progress(phase, step, percept, seen, reward=float(reward.value)))

    def _on_hold(self, feedback: Any, percept: Percept, seen: tuple[Detection, ...]) -> None:
        holding, is_lens = msg.FocusState.HOLDING, feedback.reward.agent == LOW_LEVEL
        with self._lock:
            begins = is_lens and self._phase != holding and not self._held.is_set()
            self._holds[feedback.reward.agent] = feedback.reward.step
            self._steps[holding] = sum(self._holds.values())
            step = sum(self._steps.values())
        if begins:
            self._begin(holding, f"holding {self._selection.what(self._goal.labels)}")
            if not self._goal.keep_exposure:
                self._follower = threading.Thread(target=self._follow_light, name="light", daemon=True)
                self._follower.start()
        if is_lens:
            self._run.feedback(progress(holding, step, percept, seen, sharpness=feedback.sharpness))

    def _restore(self, code: ErrorCode) -> str:
        """Restore lens and exposure; return a sentence to add to the message, or ""."""
        if code == ErrorCode.COMMAND_OVERRIDDEN:
            return " Lens and exposure stay as the other node set them."
        if not self._asked:
            return ""
        self._begin(msg.FocusState.RESTORING, "restoring lens and exposure")
        lost = self._restoration.restore()
        if not lost:
            self._server.health.clear("restore")
            return ""
        what = f"The {' and the '.join(lost)} could not be restored: no driver answers."
        self._server.health.warn("restore", what)
        return f" {what}"

    def _finish(self, code: ErrorCode, what: str, seconds: float) -> None:
        result, own = self._result, self._actuators
        result.error_code, result.error_msg = int(code), what
        result.exposure_us = float(own.exposure_us or 0.0)
        for name, value in own.lens_values.items():
            setattr(result, name, value)
        result.exposure_steps = self._steps[msg.FocusState.EXPOSING]
        result.focus_steps = self._steps[msg.FocusState.FOCUSING]
        result.hold_steps = self._steps[msg.FocusState.HOLDING]
        result.seconds = seconds
        result.report = self._write_report()
        found = code == ErrorCode.NONE
        message = (
            f"{result.detection.label} at {position_text(result.lens_position, result.lens_unit)}, "
            f"score {result.detection.score:.2f}"
            if found
            else what
        )
        self._state(msg.FocusState.FOCUSED if found else msg.FocusState.FAILED, message)

    def _write_report(self) -> str:
        self._waiter.within(limits.PICTURE_S, lambda: self._recorder.is_complete)
        with self._lock:
            report = self._recorder.finish(*report_end(self._result))
        if report:
            self._server.health.clear("report")
        return report

    def _state(self, state: int, message: str) -> None:
        self._server.publish_state(
            state,
            message,
            self._goal.labels if self._wanted else (),
            sum(self._steps.values()),
            region=self._selection.region,
            background=self._run.background,
        )

    def _report_failed(self, reason: str) -> None:
        self._server.health.count("unwritten_reports")
        self._server.health.warn("report", reason)
