"""The rig over topics: sends a command and waits for the percept that answers it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal

from rclpy.node import Node

from dasha_ros import msg
from dasha_ros.control.rig import RigError
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.freshness.command import NO_FRAME, FrameId
from dasha_ros.freshness.rest import SETTLING_MAX_S
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.lens_info import LensInfo, LensInfoError
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.actuation.settlement import ActuatorReport, Sent, Settlement
from dasha_ros.ros.actuation.takeover import EXPOSURE_TAKEN, LENS_TAKEN, Override, Takeover, overriding
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import id_from_msg, percept_from_msg
from dasha_ros.ros.validation.unheard import nothing_heard
from dasha_ros.system.shutdown_limits import GOAL_NOTICES_S


class RosRig(Actuators):
    """Camera and lens behind the graph's topics, as `control.rig.Rig`.

    Its methods block, so call them from a thread that no executor needs. A `FastSubscriber` serves the
    topics meanwhile.

    If another node's command is active after one of the rig's own was, the episode ends before the next
    command. If it is active and was heard from that node, the episode ends at once. If only the
    driver reported it, it may be older than the rig's own command, which is still on its way; then the
    episode ends if that command is still active after the wait.

    Attributes:
        interrupted: Called while waiting. Once it returns a reason, the wait ends with a `RigError` of
            that code.
        inference_budget_s: Time for transport and inference of a frame, on top of exposure and
            settling [s].
        retries: How often an unanswered command is repeated.
        not_before: The first frame that `observe` may use. `NO_FRAME`: only frames exposed after the
            call.
        most_gain_db: The most gain that `expose` may use where the camera's exposure ends [dB].
    """

    def __init__(self, node: Node, table: ExposureTable, actuator: Literal["exposure", "lens"]) -> None:
        super().__init__(node)
        self._actuator = actuator
        self.table = table
        self._model: tuple[LensInfo, LensModel] | None = None
        self.interrupted: Callable[[], ErrorCode | None] = lambda: None
        self.inference_budget_s, self.retries = 3.0, 1
        self.most_gain_db = math.inf
        self._percept: Percept | None = None
        self.not_before: FrameId = NO_FRAME
        self._camera_known = ""
        """Instance of the camera driver when the episode began."""
        self._takeover = Takeover(lambda sender: sender == self.sender)
        self.reported = lambda: self._takeover.heed(self.exposure_report, self.position_report)
        # To judge frames, the rig must hear all nodes' commands, before the percepts that they make stale.
        self.listen(msg.ExposureCommand, "camera/exposure_command", self._on_exposure_command, qos.COMMAND)
        self.listen(msg.LensCommand, "lens/command", self._on_lens_command, qos.COMMAND)
        self.listen(msg.Percept, "perception/percept", self._on_percept, qos.PERCEPT)

    @property
    def lens(self) -> LensModel:
        """The lens model from its driver's description.

        Raises:
            RigError: The driver published no description, or the lens is not calibrated.
        """
        info = self.waiter.wait_for(lambda: self.lens_info, self._patience(0.0))
        if info is None:
            raise self._silent(ErrorCode.LENS_LOST, "no lens/info was ever received")
        if self._model is None or self._model[0] != info:
            try:
                self._model = info, info.model()
            except LensInfoError as error:
                raise RigError(ErrorCode.POLICY_MISMATCH, str(error)) from error
        return self._model[1]

    def observe(self) -> Percept:
        """Return a percept of the current settings from a new frame.

        It commands the rig's own actuator to its current value and takes the frame that answers; the other
        agent's actuator stays untouched. An existing frame is used only if `not_before` allows it.

        Raises:
            RigError: No percept answers.
        """
        self.wait(lambda: self.interrupted() is not None or self.lens_works, GOAL_NOTICES_S)
        self._camera_known = self.capture.driver if self.capture else ""
        self._takeover.begin()
        percept, first = self._fresh_percept(), self.not_before
        if (
            percept is not None
            and first != NO_FRAME
            and percept.capture.driver == first.driver
            and percept.capture.sequence >= first.sequence
        ):
            return percept
        return self._again()

    def watch(self, after: Percept) -> Percept:
        """A newer percept of the current settings, without a command of this rig's own.

        While another agent commands, its commands bring percepts. If none comes in time, this rig commands
        its own actuator to its current value, as `observe` does.

        Raises:
            RigError: No percept answers.
        """
        seen = after.capture.driver, after.capture.sequence

        def newer() -> Percept | None:
            percept = self._fresh_percept()
            if percept is None or (percept.capture.driver, percept.capture.sequence) == seen:
                return None
            return percept

        found = self.waiter.wait_for(newer, self._patience(self.exposure_us or 0.0))
        if found is not None:
            return found
        return self._again()

    def _again(self) -> Percept:
        """Command the rig's own actuator to its current value and return the percept that answers."""
        # Whatever gain it has, it is not this policy's choice.
        return (self.move if self._actuator == "lens" else self._expose)(self.current_setting())

    def current_setting(self) -> float:
        """What to command to the rig's own actuator to have its setting again; see `ActuatorReport.value`.

        Raises:
            RigError: No driver has reported it.
        """
        said = self.waiter.wait_for(lambda: self.own_report, self._patience(0.0))
        if said is not None:
            return said.value
        if self._actuator == "lens":
            raise self._silent(ErrorCode.LENS_LOST, "no lens state was ever received")
        raise self._silent(ErrorCode.CAMERA_LOST, "no frame was ever received")

    def settle(self, value: float) -> Settlement:
        """Command a permanent value for the rig's own actuator, without waiting for its driver."""
        self.owner = ""
        return self.settle_position(value) if self._actuator == "lens" else self.settle_exposure(value)

    @property
    def own_report(self) -> ActuatorReport | None:
        """What the driver of the rig's own actuator reports."""
        return self.position_report if self._actuator == "lens" else self.exposure_report

    @property
    def own_owner(self) -> str:
        """The name of this process as the owner of a goal, in commands to the rig's own actuator."""
        return self.lens_owner if self._actuator == "lens" else self.exposure_owner

    def expose(self, exposure_us: float) -> Percept:
        """Set the exposure time, with at most `most_gain_db`, and return the percept that answers.

        Raises:
            RigError: No percept answers.
        """
        if self.limits is not None:
            exposure_us = self.limits.nearest_asked_us(exposure_us, self.most_gain_db)
        return self._expose(exposure_us)

    def _expose(self, exposure_us: float) -> Percept:
        def answer(sent: Sent) -> Percept | None:
            self._heed_lens_faults()
            other, percept = overriding(self.exposure_report, sent), self._fresh_percept()
            if other is not None and self.pending.exposure_seen(other.command):
                raise RigError(ErrorCode.COMMAND_OVERRIDDEN, EXPOSURE_TAKEN.by_other)
            return percept if percept and percept.capture.exposure_command == sent.id else None

        def silence(sent: Sent) -> RigError:
            if self.capture is not None and self.capture.exposure_command == sent.id:
                return self._no_percept()
            return self._silent(
                ErrorCode.CAMERA_LOST, f"no frame came with the commanded exposure of {exposure_us:g} us"
            )

        return self._ask(
            lambda: self.send_exposure(exposure_us),
            answer,
            silence,
            lambda: self.exposure_report,
            EXPOSURE_TAKEN,
            exposure_us=exposure_us,
        )

    def move(self, position: float) -> Percept:
        """Move the lens and return the percept that answers.

        Raises:
            RigError: No percept answers.
        """

        def answer(sent: Sent) -> Percept | None:
            other, percept = overriding(self.position_report, sent), self._fresh_percept()
            if other is not None and self.pending.move_seen(other.command):
                raise RigError(ErrorCode.COMMAND_OVERRIDDEN, LENS_TAKEN.by_other)
            self._heed_lens_faults()
            self._heed_new_camera(self.capture)
            if percept is not None:
                self._heed_new_camera(percept.capture)
            return percept if percept and percept.capture.lens.command == sent.id else None

        def silence(sent: Sent) -> RigError:
            lens, capture = self.lens_state, self.capture
            if lens is None or lens.command != sent.id:
                refusal = f": {self.refusal}" if self.refusal else ""
                return self._silent(
                    ErrorCode.LENS_LOST, f"the lens did not confirm {self._named(position)}{refusal}"
                )
            if capture is not None and capture.lens == lens.last_move:
                return self._no_percept()
            return self._silent(
                ErrorCode.CAMERA_LOST, f"no frame came after the lens moved to {self._named(position)}"
            )

        return self._ask(
            lambda: self.send_position(position),
            answer,
            silence,
            lambda: self.position_report,
            LENS_TAKEN,
            exposure_us=self.exposure_us or 0.0,
        )

    def _silent(self, code: ErrorCode, what: str) -> RigError:
        return RigError(code, nothing_heard(self.node, what))

    def _no_percept(self) -> RigError:
        return self._silent(ErrorCode.PERCEPTION_LOST, "frames come, but no percept of them")

    def _named(self, position: float) -> str:
        """A position with its unit."""
        unit = self.lens_info.unit if self.lens_info else ""
        return f"{position:.3f} {unit}".rstrip()

    def _heed_lens_faults(self) -> None:
        lens = self.lens_state
        if lens is not None and lens.faults:
            raise RigError(ErrorCode.LENS_LOST, f"the lens reports: {', '.join(lens.faults)}")

    def _heed_new_camera(self, capture: CaptureInfo | None) -> None:
        """End the episode if the camera driver was restarted: A^L would search with another exposure."""
        if capture is None:
            return
        if self._camera_known not in ("", capture.driver):
            raise RigError(
                ErrorCode.CAMERA_LOST,
                f"the camera driver was restarted and now exposes for {capture.exposure_us:g} us",
            )
        self._camera_known = capture.driver

    def _fresh_percept(self) -> Percept | None:
        """The newest percept if its frame answers all known commands, else `None`."""
        percept = self._percept
        if percept is None or not self.pending.is_fresh(percept.capture, self.steady.now_ns()):
            return None
        return percept

    def _ask(
        self,
        send: Callable[[], Sent],
        answer: Callable[[Sent], Percept | None],
        silence: Callable[[Sent], RigError],
        report: Callable[[], ActuatorReport | None],
        overridden: Override,
        *,
        exposure_us: float,
    ) -> Percept:
        """Repeat a command until a percept answers, as often as `retries` allows.

        If the driver restored its actuator, it did so after an earlier goal and may have overridden the
        command on its way. Then the command is repeated at once.
        """
        tries = self.retries
        while True:
            if (other := self._takeover.of(overridden.actuator)) is not None:
                raise overridden.error(other)
            # The exposure in progress may have to end before the new one begins.
            in_progress_us = self.exposure_us or 0.0
            sent = send()
            patience = self._patience(exposure_us + in_progress_us)

            def ended(sent: Sent = sent, tries: int = tries) -> Percept | bool | None:
                if (percept := answer(sent)) is not None:
                    return percept
                other = overriding(report(), sent)
                return (tries > 0 and other is not None and other.is_the_drivers_own) or None

            end = self.waiter.wait_for(ended, patience)
            if isinstance(end, Percept):
                return end
            other = overriding(report(), sent)
            if tries <= 0 or (other is not None and not other.is_the_drivers_own):
                raise silence(sent) if other is None else overridden.error(other)
            tries -= 1

    def _patience(self, exposure_us: float) -> Callable[[], bool]:
        """A wait for settling and exposure on the graph's steady clock, then for inference in real time.

        It ends even if simulated time stands still or a message announces an impossibly late frame.
        """
        begun_ns = self.steady.now_ns()
        latest_ns = begun_ns + round(SETTLING_MAX_S * 1e9)
        exposure_ns = round(min(max(0.0, exposure_us), 2 * EXPOSURE_LIMITS_US[1]) * 1e3)
        seen_ns, since_s = 0, time.monotonic()

        def keep_waiting() -> bool:
            nonlocal seen_ns, since_s
            reason = self.interrupted()
            if reason is not None:
                raise RigError(reason, "interrupted while waiting for a frame")
            due_ns = max(begun_ns, min(self.lens_rest.rest_ns, latest_ns)) + exposure_ns
            now_ns = min(self.steady.now_ns(), due_ns)
            if now_ns > seen_ns:
                # Until the frame is due, the budget starts over whenever the clock advances.
                seen_ns, since_s = now_ns, time.monotonic()
            return time.monotonic() - since_s < self.inference_budget_s

        return keep_waiting

    def _on_exposure_command(self, message: msg.ExposureCommand) -> None:
        self.pending.exposure_sent(message.exposure_us, id_from_msg(message.id), self.steady.now_ns())

    def _on_lens_command(self, message: msg.LensCommand) -> None:
        self.pending.lens_sent(message.position, id_from_msg(message.id), self.steady.now_ns())

    def _on_percept(self, message: msg.Percept) -> None:
        percept = percept_from_msg(message)
        # A percept contains its capture and lens state, which may arrive later on their own topics.
        self._lens_reported(percept.lens)
        self.pending.captured(percept.capture, self.steady.now_ns())
        self._percept = percept
        self.waiter.notify()
