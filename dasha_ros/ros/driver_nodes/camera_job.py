"""What the camera's thread does: it takes a picture for each command, and preview pictures in between."""

from __future__ import annotations

import threading
from typing import Any

from dasha_ros.config import CameraDriverConfig
from dasha_ros.devices.camera import Camera, CameraLimits, Frame, checked_frame
from dasha_ros.devices.errors import DeviceError, DeviceTimeout
from dasha_ros.devices.preview import PreviewCamera
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.preview import PreviewPlan
from dasha_ros.freshness.rest import LensRest
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.ros.driver_nodes.camera_topics import CameraTopics
from dasha_ros.ros.driver_nodes.commands import Commands, Order
from dasha_ros.ros.driver_nodes.twin_link import CameraTwinLink
from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.node.node import DashaNode

_IDLE_S = 0.5
_STREAM_S = 0.1
"""Longest wait for a preview frame before the parameters are read again [s]."""
_SIMULATED_S = 0.002
"""How often the clock is read under simulated time, which may run at any speed [s]."""


class CameraJob:
    """The `Job` of the camera's `DeviceWorker`.

    It has a picture to take when a command came or the lens moved, and when the preview is due. A newer
    command aborts the exposure in progress, because its picture would answer nothing.

    Attributes:
        limits: Limits of the open camera; `None` while it is closed.
        exposure: The exposure to use [us] and the command that set it.
        plan: When preview pictures are due.
        changed: Guards this object, and wakes its thread.
    """

    def __init__(self, node: DashaNode[CameraDriverConfig]) -> None:
        self._node = node
        self.changed = threading.Condition()
        self.limits: CameraLimits | None = None
        self.exposure: tuple[CommandId, float] = (NO_COMMAND, node.config.initial_exposure_us)
        self.plan = PreviewPlan(node.steady)
        self._rest = LensRest(node.steady)
        self._camera: Camera | None = None
        self._twin: CameraTwinLink | None = None
        self._sequence = 0
        self._opens = False
        """Whether the camera is being opened; guarded by `changed`."""
        self._wakes = 0
        """Events that abort the exposure in progress."""
        self._wanted = 1
        """Events that need a new picture: commands and moves of the lens."""
        self._answered = 0
        """The value of `_wanted` that the last picture answered."""
        self._stream_hz: float | None = None
        """Preview rate that the stream was started with; `None`: no stream."""
        self._settings: dict[str, float] = {}
        self._preview_hz = 0.0

    def set_up(self, camera: Camera) -> None:
        """Use a new camera, not yet opened."""
        self._camera, self._sequence, self._rest = camera, 0, LensRest(self._node.steady)

    def connect(self, commands: Commands, topics: CameraTopics, twin: CameraTwinLink | None) -> None:
        """Use these commands and topics; ``twin`` tells a twin's camera what it sees."""
        self._commands, self._topics, self._twin = commands, topics, twin

    def forget(self) -> None:
        """Drop the camera, which is closed."""
        self._camera = self._twin = None

    def restart(self) -> None:
        """Take a new picture as soon as the camera is open."""
        self._answered = 0

    def obey(self, order: Order) -> None:
        """Use a commanded exposure from now on."""
        with self.changed:
            self.exposure = (order.command, order.value)
            self._want_picture()

    def hear_lens(self, state: LensState) -> None:
        """Take note of the lens's state; a move needs a new picture."""
        with self.changed:
            if self._rest.hear(state):
                self._want_picture()

    def use(self, config: CameraDriverConfig) -> None:
        """Apply changed parameters with the next picture."""
        if self.exposure[0] == NO_COMMAND:
            self.exposure = (NO_COMMAND, config.initial_exposure_us)
        self.plan.mode, self.plan.rate_hz = config.capture_mode, config.preview_rate_hz
        self.notify()

    def _want_picture(self) -> None:
        self._wanted += 1
        # A camera that gives up while it opens counts as lost; this one takes the picture afterwards.
        if not self._opens:
            self.wake()

    def wake(self) -> None:
        """Abort the exposure in progress, or the opening, and look for new work."""
        with self.changed:
            self._wakes += 1
            if self._camera is not None:
                self._camera.abort()
            self.changed.notify()

    def notify(self) -> None:
        """Look for new work, but finish the exposure in progress."""
        with self.changed:
            self.changed.notify()

    def open(self) -> None:
        """Open the camera. Commands get its limits, without exposures beyond the parameter's."""
        assert self._camera is not None
        with self.changed:
            self._opens = True
        try:
            limits = self._camera.open().exposing_at_most(self._node.config.exposure_max_us)
        finally:
            self._opens = False
        self.limits = limits
        gate = self._commands.gate
        gate.low, gate.high = limits.exposure_min_us, limits.longest_asked_us
        self._answered, self._stream_hz = 0, None
        self.publish_limits()

    def publish_limits(self) -> None:
        """Publish the limits of the open camera."""
        limits = self.limits
        if limits is not None:
            self._topics.publish_limits(limits)

    def facts(self) -> dict[str, Any]:
        """Settings as read from the camera, and its counters."""
        return self._camera.describe() if self._camera is not None else {}

    def frame_values(self) -> dict[str, Any]:
        """Settings of the newest picture, for the diagnostics."""
        return {**self._settings, "preview_hz": self._preview_hz} if self._preview_hz else self._settings

    def work(self) -> bool:
        """Take one picture if one is due."""
        camera = self._camera
        assert camera is not None
        self._commands.restore_if_abandoned()
        with self.changed:
            streams = self._streams()
            is_due = streams or self._is_due()
            if not is_due:
                self._stop_stream()
                self.changed.wait(self._wait_s())
            (command, exposure_us), rest_ns = self.exposure, self._rest.rest_ns
            wanted, wakes = self._wanted, self._wakes
            awaited = self._is_awaited()
        self._topics.state.publish_if_due()
        if not is_due:
            return False
        preview = camera if isinstance(camera, PreviewCamera) and streams and not awaited else None
        if preview is None:
            # Stop first: new settings would restart a stream that is about to end.
            self._stop_stream()
        self._set(camera, exposure_us)
        if preview is None:
            frame = camera.capture(rest_ns, lambda: self._wakes != wakes)
        else:
            self._start_stream(preview)
            frame = preview.latest(_STREAM_S) if self._wakes == wakes else None
        if frame is not None:
            self._publish(checked_frame(frame), command, wanted, awaited)
        elif preview is None and self._wakes == wakes:
            raise DeviceTimeout("the camera's back end returned no picture, and nobody ended the exposure")
        elif awaited:
            self._node.health.count("overtaken_exposures")
        return frame is not None

    def _set(self, camera: Camera, exposure_us: float) -> tuple[float, float]:
        """Set gain and exposure; gain stands in for what is beyond the longest exposure.

        Both may have been chosen before the camera's limits were known.

        Returns:
            Exposure [us] and gain [dB] that the camera has now, as read back.
        """
        assert self.limits is not None
        has_us, has_db = self.limits.made_of(exposure_us, self._node.config.gain_db)
        has_db = camera.set_gain(has_db)
        return camera.set_exposure(has_us), has_db

    def out_of_range(self) -> Condition | None:
        """A warning about settings that the open camera does not have."""
        limits = self.limits
        if limits is None:
            return None
        gain_db, exposure_us = self._node.config.gain_db, self.exposure[1]
        has_db = limits.nearest_gain_db(gain_db)
        has_us = limits.nearest_asked_us(exposure_us)
        gain = ", gain included" if has_us > limits.exposure_max_us else ""
        sentences = []
        if has_db < gain_db:
            sentences.append(f"gain_db is {gain_db:g} dB, but this camera has at most {has_db:g} dB")
        if has_us != exposure_us:
            most_us = self._node.config.exposure_max_us
            by = f" (exposure_max_us is {most_us:g} us)" if limits.exposure_max_us == most_us else ""
            sentences.append(
                f"the exposure is {exposure_us:g} us, but this camera uses {has_us:g} us{gain}{by}"
            )
        return warning("; ".join(sentences)) if sentences else None

    def _start_stream(self, camera: PreviewCamera) -> None:
        rate_hz = self._node.config.preview_rate_hz
        if self._stream_hz != rate_hz:
            self._stream_hz = rate_hz
            self._preview_hz = camera.start_preview(rate_hz)

    def _stop_stream(self) -> None:
        if self._stream_hz is not None and isinstance(self._camera, PreviewCamera):
            self._stream_hz, self._preview_hz = None, 0.0
            self._camera.stop_preview()

    def lost(self, reason: str) -> None:
        """Nothing to do: pictures stop, and the agents notice by their deadlines."""

    def leave(self) -> None:
        """Set the last commanded exposure, of which there may be no picture, and tell that it is active.

        It is the one before the goal, whether this driver restored it or an agent just did.
        """
        if self._camera is None:
            return
        self._stop_stream()
        command, exposure_us = self.exposure
        try:
            made = self._set(self._camera, exposure_us)
        except DeviceError as error:
            sentence = f"the exposure could not be set to {exposure_us:g} us at the end: {error}"
            self._node.get_logger().error(sentence)
            return
        if self._topics.last is not None and self._topics.last.exposure_command != command:
            self._topics.publish_setting(command, *made, self._sequence)
            self._sequence += 1

    def close(self) -> None:
        """Close the camera."""
        if self._camera is not None:
            self._camera.close()

    def _streams(self) -> bool:
        """Whether the camera takes the preview pictures by itself."""
        return isinstance(self._camera, PreviewCamera) and self.plan.streams

    def _is_awaited(self) -> bool:
        """Whether a command or a move of the lens still waits for its picture."""
        return self._answered != self._wanted

    def _sees(self) -> bool:
        """Whether a picture would show the current world, which a twin's camera hears of by messages."""
        return self._twin is None or self._twin.follows(self._rest.state)

    def _is_due(self) -> bool:
        return self._sees() and (self._is_awaited() or self.plan.is_due)

    def _wait_s(self) -> float:
        preview_s = _IDLE_S
        if self.plan.is_on and self._sees():
            preview_s = _SIMULATED_S if self._node.clock.is_simulated else min(_IDLE_S, self.plan.due_in_s)
        state_s = self._topics.state.longest_wait_s
        return preview_s if state_s is None else min(preview_s, state_s)

    def _publish(self, frame: Frame, command: CommandId, wanted: int, awaited: bool) -> None:
        with self.changed:
            # As far as is known now: the lens may have been told to move meanwhile.
            lens = self._rest.position_at(frame.begun_ns)
            if frame.begun_ns >= self._rest.rest_ns:
                self._answered = wanted
        capture = CaptureInfo(
            stamp_ns=self._node.clock.stamp_of(frame.begun_ns),
            exposure_us=frame.exposure_us,
            gain_db=frame.gain_db,
            exposure_command=command,
            sequence=self._sequence,
            driver=self._commands.instance,
            lens=lens,
        )
        self._sequence += 1
        self.plan.taken(frame.begun_ns, awaited)
        self._topics.publish(frame, capture, awaited)
        self._node.health.count("frames")
        self._settings = {"exposure_us": frame.exposure_us, "gain_db": frame.gain_db}
        self._node.health.update()
