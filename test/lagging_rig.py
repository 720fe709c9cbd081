"""Goals on back ends whose pictures lag, in one process on a clock that jumps.

A device is set up as its owner would do it: its lag is measured, then its lens is calibrated blind before a
chart, and goals use what was measured. The truth stays with the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scripted_driver import Script, ScriptedHost
from webcam_in_memory import MemoryWebcam

from dasha_ros.devices.calibration.blind.measure import measure as measure_blur
from dasha_ros.devices.calibration.blind.profile import write_profile
from dasha_ros.devices.calibration.blind.scan import BlindScan
from dasha_ros.devices.camera import Camera
from dasha_ros.devices.lag.latency import write_latency
from dasha_ros.devices.lag.measurement import LagBench
from dasha_ros.devices.lag.measurement import measure as measure_lag
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lag_bench import WebcamLagBench
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.emulators.webcam.controls import Shown, WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import IN_PROCESS, CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo, MappedLens
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lag_bench import DriverLagBench
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

SIZE = PictureSize(640, 340, 30.0)
LAG = 3
"""Frames that begin after a command and do not show it."""
DRIVER = driver_named("camera_ros")


class Sight:
    """Paints what a device sees, and remembers what made the newest picture."""

    def __init__(self, world: World) -> None:
        self._painter = TwinPainter(SIZE, world=world, seed=0)
        self.shown: Shown | None = None

    def __call__(self, shown: Shown, size: tuple[int, int]) -> np.ndarray:
        self.shown = shown
        return self._painter(shown)


@dataclass
class Device:
    """Camera and lens that lag, both closed, and the truth about the lens."""

    clock: ManualClock
    sight: Sight
    bench: Callable[[], LagBench]
    camera: Camera
    lens: Lens
    dioptres: Callable[[float], float]
    """True focus at a position [1/m]."""
    tolerance: float
    """How far play and steps may keep the focus from there [1/m]."""


Make = Callable[[Path, World, LensProfile | None], Device]
"""Makes a device before a world, with what was measured in a folder, and a map if there is one."""


def webcam(folder: Path, world: World, profile: LensProfile | None) -> Device:
    """The emulated webcam: a step of 5 of 250, play of one step, travel."""
    clock, sight = ManualClock(), Sight(world)
    knobs = WebcamKnobs(LAG, LAG, focus_time_constant_s=0.03, focus_play=2.5)
    device = MemoryWebcam(clock, folder, knobs=knobs, size=(SIZE.height, SIZE.width), paint=sight)
    kept = _latency(folder)
    return Device(
        clock,
        sight,
        lambda: WebcamLagBench(access=device.access),
        WebcamCamera(WebcamSettings(latency=kept), clock, device.access),
        WebcamLens("", kept, clock, profile, device.access),
        WEBCAM_LENS.dioptres,
        0.06,
    )


def ros_driver(folder: Path, world: World, profile: LensProfile | None) -> Device:
    """The scripted driver of camera_ros: dioptres in steps of 0.025, and metadata of the exposure."""
    clock, sight = ManualClock(), Sight(world)
    script = Script(lag=LAG, focus_lag=LAG, rate_hz=SIZE.rate_hz)
    host = ScriptedHost(clock, script, size=(SIZE.height, SIZE.width), paint=sight)
    kept = _latency(folder)
    return Device(
        clock,
        sight,
        lambda: DriverLagBench(DRIVER, host.port),
        DriverCamera(DRIVER, DriverSettings(latency=kept), host.port, clock),
        DriverLens(DRIVER, host.port, latency=kept, clock=clock, profile=profile),
        lambda position: position,
        0.001,
    )


DEVICES: dict[str, Make] = {"webcam": webcam, "ros-driver": ros_driver}


@dataclass(frozen=True, slots=True)
class Measured:
    """A device's lens, calibrated blind before a chart."""

    profile: LensProfile
    off_steps: float
    """How far the sharpest position is from the true one [steps of the lens]."""
    off_share: float
    """How far the blur of a step is from the true one, as a share of it."""
    seconds: float
    """Time that the calibration took on the device's clock."""


def set_up(make: Make, folder: Path) -> Measured:
    """Measure a device's lag and its lens before a chart, into a folder."""
    world = World(scene=str(write_chart(folder)), illuminance_lx=300.0)
    device = make(folder, world, None)
    with device.bench() as bench:
        latency = measure_lag(bench, device.clock, lambda *_: None)
    write_latency(folder / _LATENCY, latency)
    device = make(folder, world, None)
    limits = device.camera.open()
    device.lens.open()
    tried = device.lens.info.position_min, device.lens.info.position_max
    begun_ns = device.clock.now_ns()
    scan = BlindScan(device.camera, device.lens, device.clock, limits, tried=tried)
    scan.meter()
    info = device.lens.info
    found = measure_blur(scan, info, tried)
    seconds = (device.clock.now_ns() - begun_ns) / 1e9
    device.lens.close()
    device.camera.close()
    write_profile(folder / "lens.yaml", found, tried)
    (chart,) = load_scene(world.scene).resolved_distances(world.distances_m)
    middle = sum(tried) / 2.0
    span = device.dioptres(middle) - device.dioptres(tried[0])
    px_per_dioptre = abs(WEBCAM_LENS.blur_px(device.dioptres(middle), device.dioptres(tried[0])) / span)
    truth = tried[0] + (1.0 / chart - device.dioptres(tried[0])) * (middle - tried[0]) / span
    return Measured(
        lens_model(folder / "lens.yaml"),
        abs(found.vee.sharpest - truth) / info.resolution,
        abs(found.vee.slope / (px_per_dioptre * abs(span) / (middle - tried[0])) - 1.0),
        seconds,
    )


class LaggingRig:
    """A `Rig` over a device that lags. It counts pictures that a stale setting made."""

    def __init__(self, device: Device, perception: Perception) -> None:
        self._device, self.clock, self._perception = device, device.clock, perception
        self._limits = device.camera.open()
        device.lens.open()
        self.lens = MappedLens(device.lens.info)
        # The table that policies were trained with; commands are clipped to the limits, as in the graph.
        self.table = exposure_table()
        self._sent, self._rest_ns, self.stale = 0, 0, 0
        start = CommandId(IN_PROCESS, 0)
        self._exposure_command = start
        self._state = LensState(start, 0.0, 0.0, True, 0, driver=IN_PROCESS)

    @property
    def info(self) -> LensInfo:
        return self._device.lens.info

    @property
    def focus_dioptres(self) -> float:
        """The true focus of the newest picture."""
        assert self._device.sight.shown is not None
        return self._device.sight.shown.focus_dioptres

    def observe(self) -> Percept:
        device = self._device
        frame = device.camera.capture(self._rest_ns)
        assert frame is not None
        shown = device.sight.shown
        assert shown is not None
        self.stale += shown.exposure_us != frame.exposure_us
        off = abs(shown.focus_dioptres - device.dioptres(self._state.position))
        self.stale += off > device.tolerance
        capture = CaptureInfo(
            frame.begun_ns, frame.exposure_us, frame.gain_db, self._exposure_command, self._sent,
            driver=IN_PROCESS, lens=self._state.last_move,
        )  # fmt: skip
        return self._perception.perceive(frame.pixels, "mono8", capture, self._state)

    def expose(self, exposure_us: float) -> Percept:
        self._device.camera.set_exposure(self._limits.nearest_exposure_us(exposure_us))
        self._sent += 1
        self._exposure_command = CommandId(IN_PROCESS, self._sent)
        return self.observe()

    def move(self, position: float) -> Percept:
        reading = self._device.lens.move(position)
        self._sent += 1
        self._rest_ns = self.clock.now_ns() + round(reading.settle_s * 1e9)
        self._state = replace(
            self._state,
            command=CommandId(IN_PROCESS, self._sent),
            commanded_position=position,
            position=reading.position,
            settled_at_ns=self._rest_ns,
            move=self._state.move + 1,
        )
        return self.observe()


@contextmanager
def rig_on(
    make: Make, folder: Path, perception: Perception, world: World, profile: LensProfile
) -> Iterator[LaggingRig]:
    """A rig on a device that `set_up` measured into the folder; it is closed at the end."""
    device = make(folder, world, profile)
    try:
        yield LaggingRig(device, perception)
    finally:
        device.lens.close()
        device.camera.close()


_LATENCY = "latency.yaml"


def _latency(folder: Path) -> str:
    """The measured lag; empty: it was not measured yet, so it is assumed."""
    path = folder / _LATENCY
    return str(path) if path.is_file() else ""
