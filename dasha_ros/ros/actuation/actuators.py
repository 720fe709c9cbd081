"""The current settings of camera and lens, and the two commands that change them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rclpy.node import Node

from dasha_ros import msg
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US, CameraLimits
from dasha_ros.freshness.clock import Clock
from dasha_ros.freshness.command import NO_COMMAND, CommandId, new_instance
from dasha_ros.freshness.pending import ANY_POSITION, PendingCommands
from dasha_ros.freshness.rest import LensRest
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.percept import Box
from dasha_ros.ros.actuation.settlement import AGAIN_S, ActuatorReport, Sent, Settlement, no_sender
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import (
    box_to_msg,
    capture_from_msg,
    id_to_msg,
    lens_from_msg,
    lens_info_from_msg,
    limits_from_msg,
)
from dasha_ros.ros.transport.endpoints import create_commander
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.transport.stamps import RosClock, to_stamp


def _nobody() -> None:
    """Nobody follows the reports."""


Wait = Callable[[Callable[[], bool], str], None]
"""Waits until a condition holds; raises an error with the given text if it never does."""

_ROUNDED = 0.05
"""A camera may round an exposure by this share, which is 0.07 EV."""
_AGAIN_S = 4.0
"""Time before commands are repeated [s]: longer than the longest exposure and settling."""


class Actuators:
    """Follows states and captures, and sends commands.

    Attributes:
        waiter: Notified of every message.
        reported: Called after each report of a driver about its actuator, in the subscriber's thread.
        pending: Which frames are fresh, given the commands that were sent.
        lens_rest: When the lens rests.
        sender: The sender of the commands: the node's name and an id of this object.
        owner: Whose goal the commands belong to, as `exposure_owner` and `lens_owner` name this process;
            empty: they are permanent.
        joined_at: When this object joined the topics [s, monotonic].
        limits: What the camera can do; `None` before the driver has opened it.
        lens_info: What the lens can do; `None` before its driver has said so.
        refusal: Why the lens driver last refused any node's command, or "".
        sent: Number of commands sent.
        commanded: The last command sent.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.clock = RosClock(node.get_clock())
        self.steady: Clock = self.clock.steady
        self.joined_at = time.monotonic()
        self.sender, self.owner = new_instance(node.get_fully_qualified_name()), ""
        self.waiter = Waiter()
        self.reported: Callable[[], None] = _nobody
        self.pending = PendingCommands(ANY_POSITION, EXPOSURE_LIMITS_US)
        self.lens_rest = LensRest(self.steady)
        self.limits: CameraLimits | None = None
        self.lens_info: LensInfo | None = None
        self._metered: Box | None = None
        self.refusal = ""
        self.sent = 0
        self.commanded = NO_COMMAND
        self._counting = threading.Lock()
        self._exposure_publisher, self.exposure_owner = create_commander(
            node, msg.ExposureCommand, "camera/exposure_command", qos.COMMAND
        )
        self._lens_publisher, self.lens_owner = create_commander(
            node, msg.LensCommand, "lens/command", qos.COMMAND
        )
        self._subscriber = FastSubscriber(node)
        self.listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)
        self.listen(msg.CaptureInfo, "camera/state", self._on_capture, qos.STATE)
        self.listen(msg.LensInfo, "lens/info", self._on_lens_info, qos.STATE)
        self.listen(msg.CameraLimits, "camera/limits", self._on_limits, qos.STATE)

    def listen(self, kind: Any, topic: str, callback: Any, profile: Any) -> None:
        """Subscribe until `close`; the callback runs in the subscriber's thread."""
        self._subscriber.listen(kind, topic, callback, profile)

    def rest(self) -> None:
        """Handle no messages until `attending`, to save the time they take."""
        self._subscriber.rest()

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Handle messages, first the newest ones that arrived before; `rest` afterwards."""
        self._subscriber.wake()
        try:
            yield
        finally:
            self._subscriber.rest()

    def close(self) -> None:
        """Close the topics."""
        self._subscriber.close()
        for publisher in (self._exposure_publisher, self._lens_publisher):
            self.node.destroy_publisher(publisher)

    @property
    def capture(self) -> CaptureInfo | None:
        """The newest frame reported, `None` before the first."""
        return self.pending.capture

    @property
    def lens_state(self) -> LensState | None:
        """The newest state of the lens, `None` before the first."""
        return self.pending.lens

    @property
    def lens_works(self) -> bool:
        """Whether the lens driver has published a state without faults.

        A restarted driver takes a moment to open its lens. Until then the newest state is that of the
        previous driver, with the fault that it is not active.
        """
        return self.lens_state is not None and not self.lens_state.faults

    @property
    def exposure_us(self) -> float | None:
        """Exposure of the newest frame [us], `None` before the first."""
        return self.capture.exposure_us if self.capture else None

    @property
    def position(self) -> float | None:
        """The position that the lens was last commanded to, `None` before its first state."""
        return self.lens_state.commanded_position if self.lens_state else None

    @property
    def lens_values(self) -> dict[str, Any]:
        """Position, unit and focus distance, under the names of messages and reports; NaN and "": unknown."""
        lens = self.lens_state
        return {
            "lens_position": float(lens.commanded_position) if lens else math.nan,
            "lens_unit": lens.unit if lens else "",
            "focus_distance_m": float(lens.focus_distance_m) if lens else math.nan,
        }

    @property
    def settings(self) -> dict[str, Any]:
        """Exposure and `lens_values`, under the names of messages; an exposure of 0: unknown."""
        return {"exposure_us": float(self.exposure_us or 0.0), **self.lens_values}

    def meter(self, region: Box | None) -> None:
        """See `control.rig.Metering`."""
        self._metered = region

    def send_exposure(self, exposure_us: float) -> Sent:
        """Command an exposure time [us] without waiting.

        It is clipped to the camera's limits, which a policy's table may exceed. Gain stands in for what is
        beyond the camera's longest exposure.
        """
        if self.limits is not None:
            exposure_us = self.limits.nearest_asked_us(exposure_us)
        sent = self._new(self.pending.exposures_heard())
        self.pending.exposure_sent(exposure_us, sent.id, self.steady.now_ns())
        command = msg.ExposureCommand(
            id=id_to_msg(sent.id),
            owner=self.owner,
            exposure_us=float(exposure_us),
            meter=box_to_msg(self._metered),
        )
        command.header.stamp = to_stamp(sent.at_ns)
        self._exposure_publisher.publish(command)
        return sent

    def send_position(self, position: float) -> Sent:
        """Command a lens position without waiting."""
        sent = self._new(self.pending.moves_heard())
        self.pending.lens_sent(position, sent.id, self.steady.now_ns())
        command = msg.LensCommand(id=id_to_msg(sent.id), owner=self.owner, position=float(position))
        command.header.stamp = to_stamp(sent.at_ns)
        self._lens_publisher.publish(command)
        return sent

    @property
    def exposure_report(self) -> ActuatorReport | None:
        """What the camera driver reports about its exposure, `None` before its first report."""
        seen, limits = self.capture, self.limits
        if seen is None:
            return None
        asked_us = limits.asked_us(seen.exposure_us, seen.gain_db) if limits else seen.exposure_us
        return ActuatorReport(seen.driver, seen.exposure_command, asked_us)

    @property
    def position_report(self) -> ActuatorReport | None:
        """What the lens driver reports about its position, `None` before its first report."""
        lens = self.lens_state
        return ActuatorReport(lens.driver, lens.command, lens.commanded_position) if lens else None

    def settle_exposure(self, exposure_us: float, is_ours: Callable[[str], bool] = no_sender) -> Settlement:
        """Command a permanent exposure time [us]; see `Settlement`."""
        # Repeating the command during an exposure would restart the exposure.
        again_s = AGAIN_S + (exposure_us + (self.exposure_us or 0.0)) / 1e6
        return Settlement(
            lambda: self.exposure_report,
            self.send_exposure,
            exposure_us,
            again_s=again_s,
            is_ours=is_ours,
            alike=lambda wanted, made: math.isclose(wanted, made, rel_tol=_ROUNDED),
        )

    def settle_position(self, position: float, is_ours: Callable[[str], bool] = no_sender) -> Settlement:
        """Command a permanent lens position; see `Settlement`."""
        return Settlement(lambda: self.position_report, self.send_position, position, is_ours=is_ours)

    def wait(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait up to ``seconds`` of real time until ``condition`` holds; return whether it does."""
        return self.waiter.within(seconds, condition)

    def go_to(self, exposure_us: float, position: float, wait: Wait) -> None:
        """Command exposure and lens until a frame shows both.

        Args:
            exposure_us: Exposure time [us].
            position: Position of the lens, in its unit.
            wait: How the caller waits while topics are served.
        """
        # A driver that was not heard yet may not hear a command either.
        wait(
            lambda: self.capture is not None and self.lens_state is not None,
            "the camera or the lens publishes nothing; see `dasha doctor`",
        )
        sent, again_at = (NO_COMMAND, NO_COMMAND), 0.0

        def answered() -> bool:
            nonlocal sent, again_at
            if time.monotonic() > again_at:
                # Repeated, because a command sent before its driver is discovered is lost.
                sent = self.send_exposure(exposure_us).id, self.send_position(position).id
                again_at = time.monotonic() + _AGAIN_S
            capture, lens = self.capture, self.lens_state
            return capture is not None and lens is not None and answers(capture, lens, *sent)

        wait(answered, "the camera or the lens does not obey commands; see `dasha doctor`")

    def _new(self, before: Mapping[str, int]) -> Sent:
        with self._counting:
            self.sent += 1
            self.commanded = CommandId(self.sender, self.sent)
            return Sent(self.commanded, self.clock.now_ns(), before)

    def _on_lens(self, message: msg.LensState) -> None:
        state = lens_from_msg(message)
        if self._lens_reported(state):
            self.refusal = message.last_refusal
            self.reported()
        self.waiter.notify()

    def _lens_reported(self, state: LensState) -> bool:
        self.lens_rest.hear(state)
        return self.pending.lens_reported(state, self.steady.now_ns())

    def _on_lens_info(self, message: msg.LensInfo) -> None:
        self.lens_info = lens_info_from_msg(message)
        self.pending.limit_positions(message.position_min, message.position_max)
        self.waiter.notify()

    def _on_limits(self, message: msg.CameraLimits) -> None:
        self.limits = limits_from_msg(message)
        self.pending.limit_exposures(self.limits.exposure_min_us, self.limits.longest_asked_us)
        self.waiter.notify()

    def _on_capture(self, message: msg.CaptureInfo) -> None:
        if self.pending.captured(capture_from_msg(message), self.steady.now_ns()):
            self.reported()
        self.waiter.notify()
