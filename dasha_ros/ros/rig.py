"""The rig over topics: send a command, wait for the percept that answers it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal

from rclpy.node import Node

from dasha_ros import msg
from dasha_ros.agents.outcome import ErrorCode
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.optics.exposure import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept
from dasha_ros.rl.rig import RigError
from dasha_ros.ros import qos
from dasha_ros.ros.actuators import Actuators
from dasha_ros.ros.conversions import percept_from_msg
from dasha_ros.ros.stamps import to_ns
from dasha_ros.timing.state import CaptureInfo

_SETTLING_MAX_NS = 10_000_000_000
"""Longer than any lens takes to settle."""
OBSERVATION_AGE_NS = 1_000_000_000
"""A percept this old no longer shows the world: a new picture is taken before the first decision."""


class RosRig(Actuators):
    """Camera and lens behind the graph's topics, as `rl.rig.Rig`.

    Its methods block, so they belong in a thread that no executor needs; topics are
    served by a lane meanwhile.

    Attributes:
        interrupted: Asked while waiting; once it names a reason, the wait ends with a
            `RigError` of that code.
        inference_budget_s: Time allowed for transport and inference of a frame, on top
            of exposure and settling.
        retries: How often an unanswered command is sent again.
    """

    def __init__(
        self, node: Node, table: ExposureTable, lens: LensModel, actuator: Literal["exposure", "lens"]
    ) -> None:
        super().__init__(node)
        self._actuator = actuator
        self.table, self.lens = table, lens
        self.interrupted: Callable[[], ErrorCode | None] = lambda: None
        self.inference_budget_s, self.retries = 3.0, 1
        self._percept: Percept | None = None
        self._exposure_known_ns = 0
        """Newest exposure command of this episode that a frame answered."""
        # Who judges frames has to hear of everyone's commands, and before the percepts that they make stale.
        self.listen(msg.ExposureCommand, "camera/exposure_command", self._on_exposure_command, qos.COMMAND)
        self.listen(msg.LensCommand, "lens/command", self._on_lens_command, qos.COMMAND)
        self.listen(msg.Percept, "perception/percept", self._on_percept, qos.PERCEPT)

    def observe(self) -> Percept:
        """A percept of the settings in force, not older than `OBSERVATION_AGE_NS`.

        Where there is none, the rig's own actuator is commanded to where it is: each
        agent touches nothing but its own.

        Raises:
            RigError: None answers.
        """
        self._exposure_known_ns = self.capture.exposure_command_ns if self.capture else 0
        percept = self._fresh_percept()
        if percept is not None and self.clock.now_ns() - percept.capture.end_ns < OBSERVATION_AGE_NS:
            return percept
        again = self.move if self._actuator == "lens" else self.expose
        return again(self.in_force())

    def _known(self, find: Callable[[], float | None], code: ErrorCode, what: str) -> float:
        value = self.news.wait_for(find, self._patience(0, 0.0))
        if value is None:
            raise RigError(code, f"no {what} was ever received")
        return value

    def in_force(self) -> float:
        """Where the rig's own actuator is: the exposure time [us] or the voltage [V].

        Raises:
            RigError: It was never heard of.
        """
        if self._actuator == "lens":
            return self._known(lambda: self.volts, ErrorCode.LENS_LOST, "lens state")
        return self._known(lambda: self.exposure_us, ErrorCode.CAMERA_LOST, "frame")

    def bring_back(self, value: float, longest_s: float = math.inf) -> bool:
        """Command the rig's own actuator and wait until its driver has taken it up.

        Whoever asks next for what is in force must not be told where a failed search was. As for
        ``longest_s``, see `bring_exposure_back`.
        """
        if self._actuator == "lens":
            return self.bring_volts_back(value)
        return self.bring_exposure_back(value, longest_s)

    def send_back(self, value: float) -> None:
        """Command the rig's own actuator without waiting."""
        send = self.send_volts if self._actuator == "lens" else self.send_exposure
        send(value)

    def expose(self, exposure_us: float) -> Percept:
        """Set the exposure time and return the percept that answers.

        Raises:
            RigError: None answers.
        """

        def answer(stamp: int) -> Percept | None:
            self._heed_lens_faults()
            capture, percept = self.capture, self._fresh_percept()
            if capture is not None and capture.exposure_command_ns > stamp:
                raise RigError(ErrorCode.COMMAND_OVERRIDDEN, "another node commanded the exposure meanwhile")
            return percept if percept and percept.capture.exposure_command_ns == stamp else None

        def silence(stamp: int) -> RigError:
            if self.capture is not None and self.capture.exposure_command_ns == stamp:
                return RigError(ErrorCode.PERCEPTION_LOST, "frames come, but no percept of them")
            return RigError(
                ErrorCode.CAMERA_LOST, f"no frame came with the commanded exposure of {exposure_us:g} us"
            )

        return self._ask(lambda: self.send_exposure(exposure_us), answer, silence, exposure_us)

    def move(self, volts: float) -> Percept:
        """Move the lens and return the percept that answers.

        Raises:
            RigError: None answers.
        """

        def answer(stamp: int) -> Percept | None:
            lens, percept = self.lens_state, self._fresh_percept()
            if lens is not None and lens.command_ns > stamp:
                raise RigError(ErrorCode.COMMAND_OVERRIDDEN, "another node moved the lens meanwhile")
            self._heed_lens_faults()
            self._heed_new_camera(self.capture)
            if percept is not None:
                self._heed_new_camera(percept.capture)
            return percept if percept and percept.lens.command_ns == stamp else None

        def silence(stamp: int) -> RigError:
            lens, capture = self.lens_state, self.capture
            if lens is None or lens.command_ns != stamp:
                refusal = f": {self.refusal}" if self.refusal else ""
                return RigError(ErrorCode.LENS_LOST, f"the lens did not take up {volts:.3f} V{refusal}")
            if capture is not None and capture.stamp_ns >= lens.settled_at_ns:
                return RigError(ErrorCode.PERCEPTION_LOST, "frames come, but no percept of them")
            return RigError(ErrorCode.CAMERA_LOST, f"no frame came after the lens moved to {volts:.3f} V")

        return self._ask(lambda: self.send_volts(volts), answer, silence, self.exposure_us or 0.0)

    def _heed_lens_faults(self) -> None:
        lens = self.lens_state
        if lens is not None and lens.faults:
            raise RigError(ErrorCode.LENS_LOST, f"the lens reports: {', '.join(lens.faults)}")

    def _heed_new_camera(self, capture: CaptureInfo | None) -> None:
        """A driver that was started anew exposes as at its start: A^L would search in another light."""
        if capture is None:
            return
        if capture.exposure_command_ns < self._exposure_known_ns:
            raise RigError(
                ErrorCode.CAMERA_LOST,
                f"the camera was started anew and exposes for {capture.exposure_us:g} us now",
            )
        self._exposure_known_ns = capture.exposure_command_ns

    def _fresh_percept(self) -> Percept | None:
        """The newest percept if its frame answers every command that was heard of."""
        percept, lens = self._percept, self.lens_state
        if percept is None or lens is None or percept.lens.command_ns != lens.command_ns:
            return None
        return percept if self.pending.is_fresh(percept.capture, self.clock.now_ns()) else None

    def _ask(
        self,
        send: Callable[[], int],
        answer: Callable[[int], Percept | None],
        silence: Callable[[int], RigError],
        exposure_us: float,
    ) -> Percept:
        stamp = 0
        for _ in range(self.retries + 1):
            # The exposure in progress may have to end before the new one begins.
            in_progress_us = self.exposure_us or 0.0
            stamp = send()
            patience = self._patience(stamp, exposure_us + in_progress_us)
            percept = self.news.wait_for(lambda stamp=stamp: answer(stamp), patience)
            if percept is not None:
                return percept
        raise silence(stamp)

    def _patience(self, stamp: int, exposure_us: float) -> Callable[[], bool]:
        """Waits for settling and exposure on the graph's clock, then for inference in real time.

        A graph's clock that stands still, or a message that promises a frame for a time beyond
        all settling and exposure, does not make it wait for ever.
        """
        latest_ns = stamp + _SETTLING_MAX_NS
        exposure_ns = round(min(max(0.0, exposure_us), 2 * EXPOSURE_LIMITS_US[1]) * 1e3)
        seen_ns, since_s = 0, time.monotonic()

        def keep_waiting() -> bool:
            nonlocal seen_ns, since_s
            reason = self.interrupted()
            if reason is not None:
                raise RigError(reason, "interrupted while waiting for a frame")
            settled_ns = self.lens_state.settled_at_ns if self.lens_state else 0
            due_ns = max(stamp, min(settled_ns, latest_ns)) + exposure_ns
            now_ns = min(self.clock.now_ns(), due_ns)
            if now_ns > seen_ns:
                # Until the frame is due, the budget begins anew whenever time goes on.
                seen_ns, since_s = now_ns, time.monotonic()
            return time.monotonic() - since_s < self.inference_budget_s

        return keep_waiting

    def _on_exposure_command(self, message: msg.ExposureCommand) -> None:
        self.pending.exposure_sent(message.exposure_us, to_ns(message.header.stamp), self.clock.now_ns())

    def _on_lens_command(self, message: msg.LensCommand) -> None:
        self.pending.lens_sent(message.volts, to_ns(message.header.stamp), self.clock.now_ns())

    def _on_percept(self, message: msg.Percept) -> None:
        self._percept = percept_from_msg(message)
        self.news.tell()
