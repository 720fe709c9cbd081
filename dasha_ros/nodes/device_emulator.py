"""The node behind the emulated devices: a lens board on a pseudo-terminal, and twin pictures for pylon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from rclpy.lifecycle import LifecycleNode

from dasha_ros import msg
from dasha_ros.config import ConfigError, DeviceEmulatorConfig
from dasha_ros.emulators.camera.server import PictureServer
from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.emulators.lens.line import LineFaults
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver_nodes.twin_link import WorldLink
from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.node.health import Health
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import trajectory_to_msg

_FAULTS = tuple(field.name for field in fields(LineFaults))


class _EmulatedWorld(WorldLink):
    """Passes the world to both emulated devices."""

    def __init__(self, node: LifecycleNode, view: TwinView, health: Health, lens: LensEmulator) -> None:
        self._lens, self._view = lens, view
        view.world_known.clear()
        super().__init__(node, view.camera, health)

    def changed(self) -> None:
        """Let the camera look, and apply the world's temperature to the lens."""
        self._view.world_known.set()
        self._lens.set_temperature(self._camera.world.temperature_c)


class DeviceEmulator(DashaNode[DeviceEmulatorConfig]):
    """Serves both devices the way real ones appear: as a serial port, and as a camera in pylon.

    The drivers don't notice the difference. Its parameters pull cables and disturb the line while the
    graph runs.
    """

    config_model = DeviceEmulatorConfig

    def __init__(self) -> None:
        super().__init__("device_emulator")
        self._lens: LensEmulator | None = None
        self._truth = self.create_publisher(msg.TwinLens, "twin/lens", qos.STATE)
        self._brown_outs = self.config.brown_outs
        self.health.watch("cable", self._cable)
        self.health.show("device", lambda: {"hardware_id": f"emulated rig, seed {self.config.seed}"})

    def configure(self) -> None:
        """Plug both devices in.

        Raises:
            ConfigError: A path is missing.
            FileExistsError: Another emulator serves one of the paths.
        """
        config = self.config
        if not (config.lens_link and config.camera_socket):
            raise ConfigError("device_emulator needs the parameters lens_link and camera_socket")
        link = Path(config.lens_link)
        link.parent.mkdir(parents=True, exist_ok=True)
        self._lens = LensEmulator(
            link,
            LensEmulatorSettings(
                seed=config.seed,
                device=config.lens_device,
                profile=config.profile,
                step=config.lens_step,
                time_constant_s=config.time_constant_s,
                hysteresis=config.lens_hysteresis,
            ),
        )
        self._lens.on_move = self._publish_truth
        self.keep(self._lens, self._lens.stop)
        self._lens.start()
        view = TwinView(
            link,
            lens_model(config.profile),
            width=config.width,
            height=config.height,
            encoding=config.encoding,
            seed=config.seed,
        )
        world = _EmulatedWorld(self, view, self.health, self._lens)
        self.keep(world, world.close)
        pictures = PictureServer(Path(config.camera_socket), view)
        self.keep(pictures, pictures.stop)
        pictures.start()
        self._apply_faults(config)

    def activate(self) -> None:
        """Nothing to start: both devices are there since `configure`."""
        self.health.set_activity(f"lens at {self.config.lens_link}, pictures at {self.config.camera_socket}")

    def cleanup(self) -> None:
        """Forget both devices, which are unplugged by now."""
        self._lens = None

    def reconfigure(self, config: DeviceEmulatorConfig) -> None:
        """Apply changed faults and cables."""
        if self._lens is not None:
            self._apply_faults(config)

    def _publish_truth(self, moves: PowerTrajectory) -> None:
        """Publish the true lens position for evaluations; no driver or agent subscribes to it."""
        if self.context.ok():
            self._truth.publish(trajectory_to_msg(moves, node=self.instance))

    def _apply_faults(self, config: DeviceEmulatorConfig) -> None:
        assert self._lens is not None
        self._lens.set_faults(**{fault: getattr(config, fault) for fault in _FAULTS})
        self._lens.board.set_faults(config.fault_bits)
        if config.brown_outs != self._brown_outs:
            self._brown_outs = config.brown_outs
            self._lens.brown_out()
        if config.lens_plugged and not self._lens.plugged:
            self._lens.plug()
        elif not config.lens_plugged and self._lens.plugged:
            self._lens.unplug()
        self.health.update()

    def _cable(self) -> Condition | None:
        lens = self._lens
        return warning("the lens's cable is pulled") if lens is not None and not lens.plugged else None


def main(args: Sequence[str] | None = None) -> None:
    """Run the emulated devices."""
    run(DeviceEmulator, args)


if __name__ == "__main__":
    main()
