"""The node that owns the camera."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from dasha_ros import msg
from dasha_ros.config import CameraDriverConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US, Camera, CameraLimits, Frame
from dasha_ros.devices.preview import PreviewCamera
from dasha_ros.devices.twin import TwinCamera
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.freshness.preview import PreviewPlan
from dasha_ros.freshness.rest import LensRest
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.ros.driver_nodes.backends import camera_backend
from dasha_ros.ros.driver_nodes.camera_topics import CameraTopics
from dasha_ros.ros.driver_nodes.commands import Commands, Order
from dasha_ros.ros.driver_nodes.device_worker import DeviceWorker
from dasha_ros.ros.driver_nodes.twin_link import CameraTwinLink
from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.node.node import DashaNode, run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import lens_from_msg
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber

_IDLE_S = 0.5
_STREAM_S = 0.1
"""Longest wait for a frame of the preview before parameters are looked at again."""
_SIMULATED_S = 0.002
"""Simulated time may run at any speed: its clock is looked at this often."""
_GOAL_STATES = (msg.FocusState.EXPOSING, msg.FocusState.FOCUSING, msg.FocusState.RESTORING)


class CameraDriver(DashaNode[CameraDriverConfig]):
    """Takes pictures: at once when a command took effect, and as a preview in between.

    Listens to ``camera/exposure_command``, ``lens/state`` and ``focus/state``;
    publishes ``camera/image_raw``, ``camera/camera_info`` and ``camera/capture``
    under one stamp, the start of the exposure, and what is in force, when it changed
    or answers a command, as ``camera/state``; as ``camera/limits``, what the opened
    camera can do. An exposure that a newer command overtakes is broken off: its picture
    would answer nothing. What a goal commanded ends with the goal: where its owner leaves
    the graph, or this driver is told to end in the middle of it, the exposure last commanded
    for good is in force again. Exposures and gains beyond the opened camera's limits are brought
    into them, with a warning; a gain below its least one means the least.
    """

    config_model = CameraDriverConfig

    def __init__(self) -> None:
        super().__init__("camera_driver")
        self._worker: DeviceWorker | None = None
        self._camera: Camera | None = None
        self._twin: CameraTwinLink | None = None
        self._waiter = threading.Condition()
        self._wakes = 0
        """How often something came that an exposure must not outlast."""
        self._limits: CameraLimits | None = None
        self._made: dict[str, float] = {}
        self._preview_hz = 0.0
        self.health.watch("settings", self._beyond)
        self.health.show("frame", self._frame_values)
        self._exposure: tuple[CommandId, float] = (NO_COMMAND, self.config.initial_exposure_us)
        self._rest = LensRest(self.steady)
        self._plan = PreviewPlan(self.steady)
        self.reconfigure(self.config)
        self._asked = 1
        """How often there was reason for a new picture: a command, and whatever the lens did."""
        self._answered = 0
        self._streams_at: float | None = None

    def configure(self) -> None:
        """Create topics and the back end; the device is opened on activation."""
        self._camera = camera_backend(self.config, self.steady)
        self._sequence = 0
        self._rest = LensRest(self.steady)
        gate = CommandGate("exposure time", "us", *EXPOSURE_LIMITS_US)
        self._commands = Commands(
            self,
            "camera/exposure_command",
            gate,
            obey=self._admitted,
            in_force=lambda: self._exposure[1],
        )
        self._lane = FastSubscriber(self)
        if isinstance(self._camera, TwinCamera):
            self._twin = CameraTwinLink(
                self, self._lane, self._camera, self.health, changed=self._tell, heard=self._on_lens
            )
        self._topics = CameraTopics(self, self.clock, self.config.frame_id, self.instance)
        self._lane.listen(msg.ExposureCommand, "camera/exposure_command", self._on_command, qos.COMMAND)
        self._lane.listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)
        self._lane.listen(msg.FocusState, "focus/state", self._on_focus, qos.STATE)

    def activate(self) -> None:
        """Open the camera."""
        self._answered = 0
        self._worker = DeviceWorker("camera", self, self.health, self._wake)
        self._worker.start()
        self.owned.add("camera/limits", self._tell_limits)
        self.owned.add("camera/state", self._topics.state.repeat)
        self.health.does(self._size)

    def deactivate(self) -> None:
        """Close the camera."""
        if self._worker is not None:
            went_back = self._commands.end()
            self._worker.stop()
            if went_back:
                self._topics.tell_setting(*self._exposure, self._sequence)
                self._sequence += 1
                self._commands.see_off(self._topics.in_force)
            self._worker = self._limits = None

    def cleanup(self) -> None:
        """Close the camera and the topics."""
        self.deactivate()
        if self._camera is None:
            return
        self._lane.close()
        self._camera = None
        if self._twin is not None:
            self._twin.close()
            self._twin = None
        self._topics.close()

    def reconfigure(self, config: CameraDriverConfig) -> None:
        """A changed gain, mode or preview rate takes effect with the next picture."""
        if self._exposure[0] == NO_COMMAND:
            self._exposure = (NO_COMMAND, config.initial_exposure_us)
        self._plan.mode, self._plan.rate_hz = config.capture_mode, config.preview_rate_hz
        self._tell()

    def refuse_change(self, config: CameraDriverConfig) -> str:
        """A gain that cameras have, but not the opened one."""
        limits = self._limits
        if limits is None or config.gain_db <= limits.gain_max_db:
            return ""
        return f"gain_db = {config.gain_db!r}: this camera has at most {limits.gain_max_db:g} dB"

    def _on_command(self, command: msg.ExposureCommand) -> None:
        self._commands.hear(command, command.exposure_us)

    def _admitted(self, order: Order) -> None:
        with self._waiter:
            self._exposure = (order.command, order.value)
            self._ask()

    def _on_lens(self, state: msg.LensState) -> None:
        with self._waiter:
            if self._rest.hear(lens_from_msg(state)):
                self._ask()

    def _ask(self) -> None:
        """A picture is wanted that begins from now on."""
        self._asked += 1
        self._wake()

    def _on_focus(self, state: msg.FocusState) -> None:
        self._plan.goal_runs = state.state in _GOAL_STATES

    def _wake(self) -> None:
        """Break off the exposure in progress: it answers nothing any more."""
        with self._waiter:
            self._wakes += 1
            if self._camera is not None:
                self._camera.abort()
            self._waiter.notify()

    def _tell(self) -> None:
        with self._waiter:
            self._waiter.notify()

    def open(self) -> None:
        """Job of the worker: claim the camera; its limits become the limits of the commands."""
        assert self._camera is not None
        limits = self._limits = self._camera.open()
        gate = self._commands.gate
        gate.low, gate.high = limits.exposure_min_us, limits.exposure_max_us
        self._answered, self._streams_at = 0, None
        self._tell_limits()

    def _tell_limits(self) -> None:
        limits = self._limits
        if limits is not None:
            self._topics.tell_limits(limits)

    def _size(self) -> str:
        limits = self._limits
        return "opening the camera" if limits is None else f"{limits.width}x{limits.height} {limits.encoding}"

    def facts(self) -> dict[str, Any]:
        """Job of the worker: settings as read from the camera, and its counts."""
        return self._camera.describe() if self._camera is not None else {}

    def work(self) -> bool:
        """Job of the worker: one picture, when one is due."""
        camera = self._camera
        assert camera is not None
        self._commands.leave_nothing_behind()
        with self._waiter:
            streams = self._streams()
            is_due = streams or self._is_due()
            if not is_due:
                self._stop_stream()
                self._waiter.wait(self._patience_s())
            (command, exposure_us), rest_ns = self._exposure, self._rest.rest_ns
            asked, wakes = self._asked, self._wakes
            awaited = self._is_awaited()
        self._topics.state.tell_if_due()
        if not is_due:
            return False
        preview = camera if isinstance(camera, PreviewCamera) and streams and not awaited else None
        if preview is None:
            # First, lest the new settings restart a stream that is about to end.
            self._stop_stream()
        self._set(camera, exposure_us)
        if preview is None:
            frame = camera.capture(rest_ns, lambda: self._wakes != wakes)
        else:
            self._stream(preview)
            frame = preview.latest(_STREAM_S) if self._wakes == wakes else None
        if frame is not None:
            self._publish(frame, command, asked, awaited)
        elif awaited:
            self.health.count("overtaken_exposures")
        return frame is not None

    def _set(self, camera: Camera, exposure_us: float) -> None:
        """Set gain and exposure, which parameters and commands from before it was open may place anywhere."""
        limits = self._limits
        assert limits is not None
        camera.set_gain(limits.nearest_gain_db(self.config.gain_db))
        camera.set_exposure(limits.nearest_exposure_us(exposure_us))

    def _beyond(self) -> Condition | None:
        """Settings that the opened camera does not have."""
        worker, limits = self._worker, self._limits
        if worker is None or not worker.has_device or limits is None:
            return None
        gain_db, exposure_us = self.config.gain_db, self._exposure[1]
        has_db, has_us = limits.nearest_gain_db(gain_db), limits.nearest_exposure_us(exposure_us)
        beyond = []
        if has_db < gain_db:
            beyond.append(f"gain_db is {gain_db:g} dB, and this camera has at most {has_db:g} dB")
        if has_us != exposure_us:
            beyond.append(f"the exposure is {exposure_us:g} us, and this camera comes to {has_us:g} us")
        return warning("; ".join(beyond)) if beyond else None

    def _frame_values(self) -> dict[str, Any]:
        """What made the newest picture."""
        return {**self._made, "preview_hz": self._preview_hz} if self._preview_hz else self._made

    def _stream(self, camera: PreviewCamera) -> None:
        rate = self.config.preview_rate_hz
        if self._streams_at != rate:
            self._streams_at = rate
            self._preview_hz = camera.start_preview(rate)

    def _stop_stream(self) -> None:
        if self._streams_at is not None and isinstance(self._camera, PreviewCamera):
            self._streams_at, self._preview_hz = None, 0.0
            self._camera.stop_preview()

    def lost(self, reason: str) -> None:
        """Job of the worker: pictures stop; agents see that by their deadlines."""

    def leave(self) -> None:
        """Job of the worker: the exposure in force, in the middle of a goal that from before it."""
        if self._camera is not None:
            self._stop_stream()
            self._set(self._camera, self._exposure[1])

    def close(self) -> None:
        """Job of the worker: give the camera back."""
        if self._camera is not None:
            self._camera.close()

    def _streams(self) -> bool:
        """Whether the preview is one that the camera takes by itself."""
        return isinstance(self._camera, PreviewCamera) and self._plan.streams

    def _is_awaited(self) -> bool:
        """Whether what was asked for last has no picture yet."""
        return self._answered != self._asked

    def _sees(self) -> bool:
        """Whether a picture would show what it should: the twin's camera hears of that."""
        return self._twin is None or self._twin.follows(self._rest.state)

    def _is_due(self) -> bool:
        return self._sees() and (self._is_awaited() or self._plan.is_due)

    def _patience_s(self) -> float:
        preview_s = _IDLE_S
        if self._plan.is_on and self._sees():
            preview_s = _SIMULATED_S if self.clock.is_simulated else min(_IDLE_S, self._plan.due_in_s)
        state_s = self._topics.state.patience_s
        return preview_s if state_s is None else min(preview_s, state_s)

    def _publish(self, frame: Frame, command: CommandId, asked: int, awaited: bool) -> None:
        with self._waiter:
            # As far as is known now: the lens may have been told to move meanwhile.
            lens = self._rest.position_at(frame.begun_ns)
            if frame.begun_ns >= self._rest.rest_ns:
                self._answered = asked
        capture = CaptureInfo(
            stamp_ns=self.clock.stamp_of(frame.begun_ns),
            exposure_us=frame.exposure_us,
            gain_db=frame.gain_db,
            exposure_command=command,
            sequence=self._sequence,
            driver=self._commands.instance,
            lens=lens,
        )
        self._sequence += 1
        self._plan.taken(frame.begun_ns, awaited)
        self._topics.publish(frame, capture, awaited)
        self.health.count("frames")
        self._made = {"exposure_us": frame.exposure_us, "gain_db": frame.gain_db}
        self.health.update()


def main(args: Sequence[str] | None = None) -> None:
    """Run the camera driver."""
    run(CameraDriver, args)


if __name__ == "__main__":
    main()
