"""One goal of the focus server, from its start to the report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sensor_msgs.msg import CompressedImage

from dasha_ros import msg
from dasha_ros.action import AdjustFocus, FocusOnObject
from dasha_ros.control.hold import HELD_ENDS
from dasha_ros.control.pursuit import Ended, pursue
from dasha_ros.control.step import LOW_LEVEL
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.optics.lens_info import position_text
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.report.writer import BACKGROUND, ReportWriter
from dasha_ros.ros.actuation.takeover import EXPOSURE_TAKEN, LENS_TAKEN
from dasha_ros.ros.goals.agent_client import AgentClient, AgentLostError
from dasha_ros.ros.goals.goal_server import GoalServer
from dasha_ros.ros.goals.parts.agent_parts import AgentParts
from dasha_ros.ros.goals.parts.messages import progress, report_end, returning, wanted_goal
from dasha_ros.ros.goals.recorder import Recorder
from dasha_ros.ros.goals.requests import selection_of
from dasha_ros.ros.goals.restoration import Restoration
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport.conversions import (
    detection_to_msg,
    id_from_msg,
    percept_from_msg,
)
from dasha_ros.ros.validation.unheard import nothing_heard
from dasha_ros.system import shutdown_limits

_LOST = {"lens": ErrorCode.LENS_LOST, "camera": ErrorCode.CAMERA_LOST}


class FocusGoal:
    """Exposes, focuses, restores after a failure, and writes the report."""

    def __init__(self, server: GoalServer, run: ActiveGoal, info: msg.PerceptionInfo, note: str = "") -> None:
        """Prepare a goal; ``note`` is appended to the message of each phase."""
        self._server, self._run, self._info, self._note = server, run, info, note
        self._actuators, config, request = server.actuators, server.config, run.request
        self._wanted, self._selection = selection_of(request)
        self._goal = wanted_goal(request, config)
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
        self._recorder = Recorder(self._report_failed)
        self._lock = threading.Lock()
        self._waiter = Waiter()
        self._restoration = Restoration(server)
        self._parts = AgentParts(server, run, self._goal, self)

    def work(self) -> FocusOnObject.Result:
        """Reach the goal, or restore lens and exposure."""
        began = time.monotonic()
        own = self._actuators
        own.wait(
            lambda: self._run.reason or (self._drivers_work() and not self._restoration.are_left_behind()),
            # A goal may come before this node has discovered them, and while one is started again.
            shutdown_limits.DRIVER_RESTARTS_S,
        )
        self._restoration.begin()
        config = self._server.config
        if config.report_dir:
            folder = Path(config.report_dir, BACKGROUND if self._run.background else "")
            writer = ReportWriter(folder, config.report_keep)
            with self._lock:
                self._recorder.begin(
                    writer,
                    vars(self._goal),
                    self._info,
                    {"exposure_us": own.exposure_us, **own.lens_values},
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
            return self._never(ErrorCode.LENS_LOST, "lens state")
        if self._restoration.exposure_us is None:
            return self._never(ErrorCode.CAMERA_LOST, "frame")
        try:
            return pursue(self._parts, meters=self._parts.meters)
        except Exception as error:  # A bug must end the goal with an error code, and all is restored.
            self._server.guard.caught("a goal", error)
            return ErrorCode.INTERNAL, explain(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")

    def _never(self, code: ErrorCode, what: str) -> tuple[ErrorCode, str]:
        return code, explain(code, nothing_heard(self._server, f"no {what} was ever received"))

    def _follow_light(self) -> None:
        """Let A^H follow the light while A^L holds the object, until `stop_following`."""
        ended = self._parts.follow(
            lambda: ErrorCode.CANCELED if self._held.is_set() else self._run.interrupted()
        )
        if ended[0] != ErrorCode.NONE and self._run.reason is None and not self._held.is_set():
            self._unlit = ended
            self._run.interrupt(ended[0])

    def stop_following(self) -> Ended | None:
        """End what `_follow_light` began; return how it failed, or `None`."""
        self._held.set()
        if self._follower is not None:
            self._follower.join()
        return self._unlit

    @property
    def left(self) -> int:
        """How many steps the goal still has."""
        return self._goal.max_steps - sum(self._steps.values())

    def ask(
        self,
        agent: AgentClient,
        goal: Any,
        lost: ErrorCode,
        interrupted: Callable[[], ErrorCode | None] | None = None,
    ) -> Ended:
        """Let an agent do its part of the goal.

        Args:
            agent: Whom to ask.
            goal: Its action's goal.
            lost: The code if the agent is gone.
            interrupted: Says when to end; left out: when the whole goal does.
        """
        if agent is self._server.focus_agent:
            self._held.clear()
        phase, interrupted = self._phase, interrupted or self._run.interrupted
        if self._run.reason is not None:
            return self._run.reason, explain(self._run.reason, self._run.why)
        override = LENS_TAKEN if agent is self._server.focus_agent else EXPOSURE_TAKEN
        if (other := self._restoration.takeover.of(override.actuator)) is not None:
            error = override.error(other)
            code = ErrorCode(error.code)
            return code, explain(code, str(error))
        self._asked = True
        done = 0 if phase == msg.FocusState.HOLDING else self._steps[phase]
        try:
            answer = agent.run(
                goal,
                lambda feedback: self._on_feedback(feedback, done),
                interrupted,
                self._server.config.agent_timeout_s,
            )
        except AgentLostError as error:
            if self._run.reason is not None:
                return self._run.reason, explain(self._run.reason, self._run.why)
            return lost, explain(lost, str(error))
        with self._lock:
            # The last feedback may arrive after the result.
            self._steps[phase] = max(self._steps[phase], done + answer.steps)
        self._parts.answered(answer)
        code, what = ErrorCode(answer.error_code), answer.error_msg
        # A hold ends well if it was told to end, and else not, whatever the agent made of it.
        if (reason := self._run.reason) is not None and (code != ErrorCode.NONE or reason not in HELD_ENDS):
            return reason, explain(reason, self._run.why)
        if code == ErrorCode.NONE and id_from_msg(answer.command) != NO_COMMAND:
            self._reached["lens" if agent is self._server.focus_agent else "camera"] = id_from_msg(
                answer.command
            )
        if isinstance(answer, AdjustFocus.Result):
            self._result.detection, self._result.brisque = answer.detection, answer.brisque
        return code, what

    def exposed(self, detection: Detection, brisque: float) -> None:
        """Note what the object looks like in its own light."""
        self._result.detection, self._result.brisque = detection_to_msg(detection), brisque

    def begin(self, phase: int, message: str) -> None:
        """Publish which part of the goal begins."""
        self._phase = phase
        self._state(phase, f"{message}{self._note}")

    def _on_feedback(self, feedback: Any, done: int) -> None:
        """Take note of a step of an agent that had ``done`` so many steps before this part of the goal."""
        reward, percept = feedback.reward, percept_from_msg(feedback.percept)
        seen = self._selection.counted(percept, self._wanted)
        if getattr(feedback, "holding", False) or self._phase == msg.FocusState.HOLDING:
            self._on_hold(feedback, percept, seen)
            return
        # A^H's last feedback may arrive after its result, when A^L is working already.
        phase = msg.FocusState.EXPOSING if reward.agent == "A^H" else msg.FocusState.FOCUSING
        with self._lock:
            self._steps[phase] = max(self._steps[phase], done + reward.step)
        self._parts.looked(percept)
        if phase == msg.FocusState.EXPOSING:
            self._parts.saw(percept)
        with self._lock:
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
            self.begin(holding, f"holding {self._selection.what(self._goal.labels)}")
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
        self.begin(msg.FocusState.RESTORING, "restoring lens and exposure")
        self._run.feedback(returning(sum(self._steps.values()), self._actuators.settings))
        lost = self._restoration.restore()
        if not lost:
            self._server.health.clear("restore")
            return ""
        what = f"The {' and the '.join(lost)} could not be restored: no driver answers."
        self._server.health.warn("restore", what)
        return f" {what}"

    def _finish(self, code: ErrorCode, what: str, seconds: float) -> None:
        result = self._result
        result.error_code, result.error_msg = int(code), what
        for name, value in self._actuators.settings.items():
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
        self._waiter.within(shutdown_limits.PICTURE_S, lambda: self._recorder.is_complete)
        with self._lock:
            report = self._recorder.finish(*report_end(self._result), self._actuators.lens_info)
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
            goal=bytes(self._run.handle.goal_id.uuid),
        )

    def _report_failed(self, reason: str) -> None:
        self._server.health.count("unwritten_reports")
        self._server.health.warn("report", reason)
