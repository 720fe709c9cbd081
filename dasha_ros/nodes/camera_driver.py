"""The node that owns the camera."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dasha_ros import msg
from dasha_ros.config import CameraDriverConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US, Camera
from dasha_ros.devices.software_camera import SoftwareCamera
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.ros.driver_nodes.backends import camera_backend, lens_port
from dasha_ros.ros.driver_nodes.camera_info import CameraInfos
from dasha_ros.ros.driver_nodes.camera_job import CameraJob
from dasha_ros.ros.driver_nodes.camera_topics import CameraTopics
from dasha_ros.ros.driver_nodes.commands import Commands
from dasha_ros.ros.driver_nodes.device_worker import DeviceWorker
from dasha_ros.ros.driver_nodes.twin_link import CameraTwinLink
from dasha_ros.ros.node.condition import Condition
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import lens_from_msg
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber

_GOAL_STATES = (
    msg.FocusState.EXPOSING,
    msg.FocusState.FOCUSING,
    msg.FocusState.HOLDING,
    msg.FocusState.RESTORING,
)


class CameraDriver(DashaNode[CameraDriverConfig]):
    """Takes pictures: at once when a command took effect, and as a preview in between.

    It subscribes to ``camera/exposure_command``, ``lens/state`` and ``focus/state``. It publishes

    - ``camera/image_raw``, ``camera/camera_info`` and ``camera/capture`` under one stamp, the start of
      the exposure;
    - ``camera/state``, the active settings, when they changed or answer a command;
    - ``camera/limits``, the limits of the open camera.

    ``camera/set_camera_info`` sets and keeps the calibration that ``camera/camera_info`` carries.

    A newer command aborts the exposure in progress, because its picture would answer nothing. The exposure
    that a goal commanded lasts only as long as the goal: if the goal's owner leaves the graph or this driver
    ends, the last permanent exposure is restored. Exposures and gains beyond the camera's limits are moved
    to the nearest limit, with a warning; a gain below the least one means the least.
    """

    config_model = CameraDriverConfig

    def __init__(self) -> None:
        super().__init__("camera_driver")
        self._worker: DeviceWorker | None = None
        self._camera: Camera | None = None
        self._twin: CameraTwinLink | None = None
        self._job = CameraJob(self)
        self.health.watch("settings", self._out_of_range)
        self.health.show("frame", self._job.frame_values)
        self.reconfigure(self.config)

    def configure(self) -> None:
        """Create the topics and the back end; the device is opened on activation."""
        job = self._job
        camera = camera_backend(self.config, self.steady, self)
        port = lens_port(self.config, camera)
        if port is not None:
            port.start()
            self.keep(port, port.stop)
        self._camera = camera
        job.set_up(camera)
        self._commands = Commands(
            self,
            "camera/exposure_command",
            CommandGate("exposure time", "us", *EXPOSURE_LIMITS_US),
            obey=job.obey,
            current=lambda: job.exposure[1],
        )
        config = self.config
        infos = CameraInfos(
            self,
            config.camera_info_url,
            re.sub(r"[^\w-]+", "_", config.serial) or config.backend,
            simulated=config.backend == "twin" or bool(config.emulator),
        )
        self.keep(infos, infos.close)
        self.health.watch("calibration", infos.condition)
        self._topics = CameraTopics(self, self.clock, config.frame_id, self.instance, infos)
        self.keep(self._topics, self._topics.close)
        subscriber = FastSubscriber(self)
        if isinstance(camera, SoftwareCamera):
            self._twin = CameraTwinLink(
                self, subscriber, camera, self.health, changed=job.notify, heard=self._on_lens
            )
            self.keep(self._twin, self._twin.close)
        # Closed first: what the twin hears must not come after its end.
        self.keep(subscriber, subscriber.close)
        job.connect(self._commands, self._topics, self._twin)
        listen = subscriber.listen
        listen(msg.ExposureCommand, "camera/exposure_command", self._on_command, qos.COMMAND)
        listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)
        listen(msg.FocusState, "focus/state", self._on_focus, qos.STATE)

    def activate(self) -> None:
        """Open the camera."""
        self._job.restart()
        self._worker = DeviceWorker("camera", self._job, self.health, self._job.wake)
        self._worker.start()
        self.exclusive_topics.add("camera/limits", self._job.publish_limits)
        self.exclusive_topics.add("camera/state", self._topics.state.repeat)
        self.health.set_activity(self._activity)

    def deactivate(self) -> None:
        """Close the camera."""
        if self._worker is not None:
            self._commands.end()
            self._worker.stop()
            self._worker = self._job.limits = None

    def cleanup(self) -> None:
        """Forget the camera."""
        if self._camera is not None:
            self._camera = self._twin = None
            self._job.forget()

    def reconfigure(self, config: CameraDriverConfig) -> None:
        """Apply a changed gain, mode or preview rate with the next picture."""
        self._job.use(config)

    def refuse_change(self, config: CameraDriverConfig) -> str:
        """Refuse a gain that the open camera does not have."""
        limits = self._job.limits
        if limits is None or config.gain_db <= limits.gain_max_db:
            return ""
        return f"gain_db = {config.gain_db!r}: this camera has at most {limits.gain_max_db:g} dB"

    def _on_command(self, command: msg.ExposureCommand) -> None:
        self._commands.hear(command, command.exposure_us)

    def _on_lens(self, state: msg.LensState) -> None:
        self._job.hear_lens(lens_from_msg(state))

    def _on_focus(self, state: msg.FocusState) -> None:
        self._job.plan.goal_runs = state.state in _GOAL_STATES

    def _activity(self) -> str:
        limits = self._job.limits
        return "opening the camera" if limits is None else f"{limits.width}x{limits.height} {limits.encoding}"

    def _out_of_range(self) -> Condition | None:
        worker = self._worker
        return self._job.out_of_range() if worker is not None and worker.has_device else None


def main(args: Sequence[str] | None = None) -> None:
    """Run the camera driver."""
    run(CameraDriver, args)


if __name__ == "__main__":
    main()
