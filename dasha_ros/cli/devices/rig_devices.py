"""The camera and the lens of a rig in this process, made as the two driver nodes make them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dasha_ros.cli.terminal.console import Exit, fail

if TYPE_CHECKING:
    from rclpy.node import Node

    from dasha_ros.bringup.graph import Graph
    from dasha_ros.config import NodeConfig
    from dasha_ros.devices.camera import Camera, CameraLimits
    from dasha_ros.devices.lens import Lens, LensReading
    from dasha_ros.devices.simulated_camera import SimulatedCamera
    from dasha_ros.devices.twin.lens import TwinLens
    from dasha_ros.freshness.clock import Clock
    from dasha_ros.optics.lens_info import LensInfo


@dataclass(frozen=True)
class Devices:
    """Both devices, open."""

    camera: Camera
    lens: Lens
    limits: CameraLimits
    clock: Clock


@contextmanager
def rig_devices(
    rig: str, params_file: Path | None = None, overrides: Sequence[str] = ()
) -> Iterator[Devices]:
    """Open the devices that ``dasha up`` with the same options would use; they are closed at the end.

    Raises:
        DeviceError: A device could not be opened.
        ValueError: A device can't be as configured.
    """
    from dasha_ros.freshness.clock import SteadyClock

    if rig == "emulated":
        from dasha_ros.emulators.calibration_bench import CalibrationBench

        with CalibrationBench() as bench:
            limits = bench.camera.open()
            bench.lens.open()
            yield Devices(bench.camera, bench.lens, limits, SteadyClock())
        return
    configs = _configs(rig, params_file, overrides)
    with ExitStack() as stack:
        if "ros_driver" in (configs["camera_driver"].backend, configs["lens_driver"].backend):
            from dasha_ros.bringup.graph_client import GraphClient
            from dasha_ros.ros.transport.stamps import RosClock

            node = stack.enter_context(GraphClient()).node
            yield _opened(stack, configs, RosClock(node.get_clock()).steady, node)
        else:
            yield _opened(stack, configs, SteadyClock())


def range_to_try(lens: LensInfo, low: float | None, high: float | None) -> tuple[float, float]:
    """Least and greatest position to try; ``None``: the lens's own."""
    least = lens.position_min if low is None else low
    greatest = lens.position_max if high is None else high
    if not (lens.admits(least) and lens.admits(greatest) and least < greatest):
        fail(
            f"--low {least:g} and --high {greatest:g}: give a range inside {lens.position_min:g} to "
            f"{lens.position_max:g} {lens.unit}",
            Exit.REFUSED,
        )
    return least, greatest


def _configs(rig: str, params_file: Path | None, overrides: Sequence[str]) -> dict[str, Any]:
    """The configurations of the drivers and of the twin's world."""
    from dasha_ros.bringup.graph import Options, describe
    from dasha_ros.config import NODES, ConfigError
    from dasha_ros.config.overrides import merged

    if rig == "emulated-optotune":
        fail("the rig emulated-optotune can't be calibrated: its devices belong to a graph", Exit.REFUSED)
    try:
        graph: Graph = describe(
            Options(
                rig=rig, params_file=str(params_file) if params_file else None, overrides=tuple(overrides)
            )
        )
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    configs: dict[str, NodeConfig] = {
        name: NODES[name]() for name in ("camera_driver", "lens_driver", "twin_world")
    }
    own = {
        f"{process.name}.{key}": value
        for process in graph.processes
        if process.name in configs
        for key, value in process.parameters.items()
        if key in NODES[process.name].model_fields
    }
    return merged(configs, own)


def _opened(stack: ExitStack, configs: dict[str, Any], clock: Clock, node: Node | None = None) -> Devices:
    from dasha_ros.devices.simulated_camera import SimulatedCamera
    from dasha_ros.devices.twin.camera import TwinCamera
    from dasha_ros.devices.twin.lens import TwinLens
    from dasha_ros.ros.driver_nodes.backends import camera_backend, lens_backend, lens_port
    from dasha_ros.twin.world import World

    camera = camera_backend(configs["camera_driver"], clock, node)
    stack.callback(camera.close)
    if isinstance(camera, TwinCamera):
        camera.set_world(World.of(configs["twin_world"]))
    limits = camera.open()
    if (server := lens_port(configs["camera_driver"], camera)) is not None:
        server.start()
        stack.callback(server.stop)
    lens = lens_backend(configs["lens_driver"], clock, node)
    if isinstance(lens, TwinLens) and isinstance(camera, SimulatedCamera):
        lens = _Seen(lens, camera)
    stack.callback(lens.close)
    lens.open()
    return Devices(camera, lens, limits, clock)


class _Seen:
    """A simulated lens whose moves its camera sees, as light does it for real ones."""

    def __init__(self, lens: TwinLens, camera: SimulatedCamera[Any]) -> None:
        self._lens, self._camera = lens, camera

    @property
    def info(self) -> LensInfo:
        return self._lens.info

    def open(self) -> LensReading:
        reading = self._lens.open()
        self._camera.set_trajectory(self._lens.trajectory)
        return reading

    def close(self) -> None:
        self._lens.close()

    def move(self, position: float) -> LensReading:
        reading = self._lens.move(position)
        self._camera.set_trajectory(self._lens.trajectory)
        return reading

    def read(self) -> LensReading:
        return self._lens.read()

    def describe(self) -> dict[str, Any]:
        return self._lens.describe()
