"""The node that owns the camera."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sensor_msgs.msg import CameraInfo, Image

from dasha_ros import msg
from dasha_ros.config import CameraDriverConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US, Camera, Frame
from dasha_ros.devices.preview import PreviewCamera
from dasha_ros.devices.twin import TwinCamera
from dasha_ros.ros import qos
from dasha_ros.ros.backends import camera_backend
from dasha_ros.ros.conversions import capture_to_msg, lens_from_msg, limits_to_msg
from dasha_ros.ros.device_worker import DeviceWorker
from dasha_ros.ros.image import ImageWriter
from dasha_ros.ros.lane import Lane
from dasha_ros.ros.node import DashaNode, run
from dasha_ros.ros.stamps import to_ns
from dasha_ros.ros.twin_link import CameraTwinLink
from dasha_ros.timing.gate import CommandGate
from dasha_ros.timing.rule import answers
from dasha_ros.timing.state import CaptureInfo, LensState

_IDLE_S = 0.5
_STREAM_S = 0.1
"""Longest wait for a frame of the preview before parameters are looked at again."""
_STREAM_FROM_HZ = 10.0
"""A slower preview is taken by trigger: a stream has to end before a command's picture, and its end may take
a period."""
_STATE_PERIOD_NS = 500_000_000
"""Whoever only follows what is in force need not hear of every frame of a fast preview."""
_STATE_DELAY_S = 0.1
"""A picture under known settings is told of when it has been looked at: until then its followers would take
the core that perception needs."""
_CALM_NS = 1_000_000_000
"""Who commanded a picture may well command the next: a preview in between would be in its way."""
_NO_LENS = LensState(0, 0.0, 0.0, settled=True, settled_at_ns=0)
_GOAL_STATES = (msg.FocusState.EXPOSING, msg.FocusState.FOCUSING, msg.FocusState.RESTORING)


class CameraDriver(DashaNode[CameraDriverConfig]):
    """Takes pictures: at once when a command took effect, and as a preview in between.

    Listens to ``camera/exposure_command``, ``lens/state`` and ``focus/state``;
    publishes ``camera/image_raw``, ``camera/camera_info`` and ``camera/capture``
    under one stamp, the start of the exposure, and what is in force, when it changed
    or answers a command, as ``camera/state``; as ``camera/limits``, what the opened
    camera can do. An exposure that a newer command overtakes is broken off: its picture
    would answer nothing.
    """

    config_model = CameraDriverConfig

    def __init__(self) -> None:
        super().__init__("camera_driver")
        self._worker: DeviceWorker | None = None
        self._camera: Camera | None = None
        self._twin: CameraTwinLink | None = None
        self._news = threading.Condition()
        self._gate = CommandGate("exposure time", "us", *EXPOSURE_LIMITS_US)
        self._exposure: tuple[int, float] = (0, self.config.initial_exposure_us)
        self._lens, self._lens_said_ns = _NO_LENS, 0
        self._goal_runs = False
        self._answered: tuple[int, int] | None = None
        self._sequence = 0
        self._next_preview_ns = self._calm_ns = 0
        self._streams_at: float | None = None
        self._told: CaptureInfo | None = None
        self._untold: CaptureInfo | None = None
        self._tell_at_s = self._tell_latest_s = 0.0

    def configure(self) -> None:
        """Create topics and the back end; the device is opened on activation."""
        self._camera = camera_backend(self.config, self.clock)
        self._lane = Lane(self)
        if isinstance(self._camera, TwinCamera):
            self._twin = CameraTwinLink(
                self, self._lane, self._camera, self.health, changed=self._tell, heard=self._on_lens
            )
        self._writer = ImageWriter(self.config.frame_id)
        self._image_publisher = self.create_publisher(Image, "camera/image_raw", qos.IMAGE)
        self._info_publisher = self.create_publisher(CameraInfo, "camera/camera_info", qos.CAPTURE)
        self._capture_publisher = self.create_publisher(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self._state_publisher = self.create_publisher(msg.CaptureInfo, "camera/state", qos.STATE)
        self._limits_publisher = self.create_publisher(msg.CameraLimits, "camera/limits", qos.STATE)
        self._lane.listen(msg.ExposureCommand, "camera/exposure_command", self._on_command, qos.COMMAND)
        self._lane.listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)
        self._lane.listen(msg.FocusState, "focus/state", self._on_focus, qos.STATE)

    def activate(self) -> None:
        """Open the camera."""
        self._answered = None
        self._worker = DeviceWorker("camera", self, self.health, self._wake)
        self._worker.start()

    def deactivate(self) -> None:
        """Close the camera."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

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
        for publisher in (
            self._image_publisher,
            self._info_publisher,
            self._capture_publisher,
            self._state_publisher,
            self._limits_publisher,
        ):
            self.destroy_publisher(publisher)

    def reconfigure(self, config: CameraDriverConfig) -> None:
        """A changed gain, mode or preview rate takes effect with the next picture."""
        self._tell()

    def _on_command(self, command: msg.ExposureCommand) -> None:
        if not self.is_active:
            self.health.count("commands_while_inactive")
            return
        stamp = to_ns(command.header.stamp)
        if self._gate.admit(command.exposure_us, stamp, self.clock.now_ns()):
            with self._news:
                self._exposure = (stamp, command.exposure_us)
            self._wake()
            return
        self.health.count("refused_commands")
        self.health.values(last_refusal=self._gate.last_refusal)
        if self._gate.refused & (self._gate.refused - 1) == 0:
            # At 1, 2, 4, 8, ...: a flood must not fill the log.
            self.get_logger().warning(f"{self._gate.last_refusal} ({self._gate.refused} so far)")

    def _on_lens(self, state: msg.LensState) -> None:
        lens, said_ns = lens_from_msg(state), to_ns(state.header.stamp)
        with self._news:
            if 0 < said_ns < self._lens_said_ns:
                # The twin's lens speaks on two topics, and what was said first may be heard last.
                return
            self._lens_said_ns = said_ns
            moved = (lens.command_ns, lens.settled_at_ns) != (
                self._lens.command_ns,
                self._lens.settled_at_ns,
            )
            self._lens = lens
        if moved:
            self._wake()

    def _on_focus(self, state: msg.FocusState) -> None:
        self._goal_runs = state.state in _GOAL_STATES

    def _wake(self) -> None:
        """Break off the exposure in progress: it answers nothing any more."""
        camera = self._camera
        if camera is not None:
            camera.abort()
        self._tell()

    def _tell(self) -> None:
        with self._news:
            self._news.notify()

    def open(self) -> str:
        """Job of the worker: claim the camera; its limits become the limits of the commands."""
        assert self._camera is not None
        limits = self._camera.open()
        self._gate.low, self._gate.high = limits.exposure_min_us, limits.exposure_max_us
        self._answered = self._streams_at = None
        if self.context.ok():
            self._limits_publisher.publish(limits_to_msg(limits))
        return f"{limits.width}x{limits.height} {limits.encoding}"

    def facts(self) -> dict[str, Any]:
        """Job of the worker: settings as read from the camera, and its counts."""
        return self._camera.describe() if self._camera is not None else {}

    def work(self) -> bool:
        """Job of the worker: one picture, when one is due."""
        camera = self._camera
        assert camera is not None
        with self._news:
            streams = self._streams()
            is_due = streams or self._is_due()
            if not is_due:
                self._stop_stream()
                self._news.wait(self._patience_s())
            (command_ns, exposure_us), lens = self._exposure, self._lens
            awaited = self._is_awaited()
        self._tell_later()
        if not is_due:
            return False
        preview = camera if isinstance(camera, PreviewCamera) and streams and not awaited else None
        if preview is None:
            # First, lest the new settings restart a stream that is about to end.
            self._stop_stream()
        camera.set_gain(self.config.gain_db)
        camera.set_exposure(exposure_us)
        if preview is not None:
            self._stream(preview)
        if self._is_overtaken(command_ns, lens):
            # An abort has nothing to abort yet: it would be forgotten, and a long exposure begin.
            return False
        frame = camera.capture(lens.settled_at_ns) if preview is None else preview.latest(_STREAM_S)
        if frame is not None:
            self._publish(frame, command_ns, lens, awaited)
        elif awaited:
            self.health.count("overtaken_exposures")
        return frame is not None

    def _is_overtaken(self, command_ns: int, lens: LensState) -> bool:
        with self._news:
            now = self._exposure[0], self._lens.command_ns, self._lens.settled_at_ns
        return now != (command_ns, lens.command_ns, lens.settled_at_ns)

    def _stream(self, camera: PreviewCamera) -> None:
        rate = self.config.preview_rate_hz
        if self._streams_at != rate:
            self._streams_at = rate
            self.health.values(preview_hz=camera.start_preview(rate))

    def _stop_stream(self) -> None:
        if self._streams_at is not None and isinstance(self._camera, PreviewCamera):
            self._streams_at = None
            self._camera.stop_preview()

    def lost(self, reason: str) -> None:
        """Job of the worker: pictures stop; agents see that by their deadlines."""

    def close(self) -> None:
        """Job of the worker: give the camera back."""
        if self._camera is not None:
            self._camera.close()

    def _previews(self) -> bool:
        mode = self.config.capture_mode
        is_calm = not self._goal_runs and self.clock.now_ns() >= self._calm_ns
        return self.config.preview_rate_hz > 0 and (mode == "free_running" or (mode == "auto" and is_calm))

    def _streams(self) -> bool:
        """Whether the preview is one that the camera takes by itself."""
        return (
            isinstance(self._camera, PreviewCamera)
            and self.config.preview_rate_hz >= _STREAM_FROM_HZ
            and self._previews()
        )

    def _is_awaited(self) -> bool:
        """Whether a command has no picture yet."""
        return self._answered != (self._exposure[0], self._lens.command_ns)

    def _is_due(self) -> bool:
        if self._twin is not None and not self._twin.follows(self._lens.command_ns):
            return False
        return self._is_awaited() or (self._previews() and self.clock.now_ns() >= self._next_preview_ns)

    def _patience_s(self) -> float:
        if self._untold is not None:
            return min(_STATE_DELAY_S, self._preview_in_s())
        return self._preview_in_s()

    def _preview_in_s(self) -> float:
        if not self._previews():
            return _IDLE_S
        if self.clock.is_simulated:
            return 0.002
        return min(_IDLE_S, max(0.0, (self._next_preview_ns - self.clock.now_ns()) / 1e9))

    def _tell_state(self, capture: CaptureInfo, awaited: bool) -> None:
        """Say what is in force: new settings at once, an answer under known ones a little later."""
        told = self._told
        if told is None or (capture.exposure_us, capture.gain_db, capture.exposure_command_ns) != (
            told.exposure_us,
            told.gain_db,
            told.exposure_command_ns,
        ):
            self._publish_state(capture)
        elif awaited:
            now_s = time.monotonic()
            if self._untold is None:
                self._tell_latest_s = now_s + _STATE_PERIOD_NS / 1e9
            # Each answer puts it off, up to a limit: another step may have begun.
            self._untold, self._tell_at_s = capture, min(now_s + _STATE_DELAY_S, self._tell_latest_s)
        elif capture.stamp_ns - told.stamp_ns >= _STATE_PERIOD_NS:
            self._publish_state(capture)

    def _tell_later(self) -> None:
        if self._untold is not None and time.monotonic() >= self._tell_at_s:
            self._publish_state(self._untold)

    def _publish_state(self, capture: CaptureInfo) -> None:
        self._told, self._untold = capture, None
        if self.context.ok():
            self._state_publisher.publish(capture_to_msg(capture, self.config.frame_id))

    def _publish(self, frame: Frame, command_ns: int, lens: LensState, awaited: bool) -> None:
        capture = CaptureInfo(frame.stamp_ns, frame.exposure_us, frame.gain_db, command_ns, self._sequence)
        self._sequence += 1
        if answers(capture, lens, command_ns, lens.command_ns):
            self._answered = (command_ns, lens.command_ns)
        if awaited:
            self._calm_ns = frame.stamp_ns + _CALM_NS
        rate = self.config.preview_rate_hz
        self._next_preview_ns = frame.stamp_ns + (round(1e9 / rate) if rate > 0 else 0)
        image = self._writer.write(frame.pixels, frame.encoding)
        capture = replace(capture, ready_ns=self.clock.now_ns())
        info = capture_to_msg(capture, self.config.frame_id)
        image.header.stamp = info.header.stamp
        if not self.context.ok():
            return
        self._capture_publisher.publish(info)
        self._image_publisher.publish(image)
        # Whom it woke may have been put on this core.
        os.sched_yield()
        self._tell_state(capture, awaited)
        # Nobody calibrated this camera: K and D stay zero, which is how REP 104 says so.
        self._info_publisher.publish(CameraInfo(header=info.header, height=image.height, width=image.width))
        self.health.count("frames")
        self.health.values(exposure_us=frame.exposure_us)


def main(args: Sequence[str] | None = None) -> None:
    """Run the camera driver."""
    run(CameraDriver, args)


if __name__ == "__main__":
    main()
