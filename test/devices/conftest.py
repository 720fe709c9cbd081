"""Every camera and every lens behind one pair of fixtures: the conformance suites run on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from example_code import example
from fake_genicam import fake_genicam
from indi_servers import SIMULATOR, simulator
from kernel_webcam import KernelWebcam, chart_options
from optic_nodes import OpticNodes
from opto_icc import Icc, install
from other_lenses import DIOPTRES, STEPS
from pylon_studio import PylonStudio
from scripted_driver import Script, ScriptedHost
from squares import squares_scene
from stack_maker import squares_stack
from webcam_in_memory import MemoryWebcam

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.camera import Camera
from dasha_ros.devices.fake.fake import FakeCamera, FakeLens
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.pylon.lens import PylonLens
from dasha_ros.devices.pylon.lens_port import LensPortServer, RemoteLensPort
from dasha_ros.devices.stack.camera import StackCamera
from dasha_ros.devices.stack.description import load_stack
from dasha_ros.devices.stack.lens import StackLens
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.device import WebcamAccess
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.camera.pictures import PictureFeed
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.freshness.clock import Clock, ManualClock, SteadyClock
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named
from dasha_ros.twin.world import World

LENS_PORT = "DASHA_LENS_PORT"
CAMERA_ADDRESS = "DASHA_CAMERA"
"""Environment variables that name a lens and a camera on a bench, for ``pytest -m hardware``."""


@dataclass
class LensUnderTest:
    lens: Lens
    clock: Clock
    unplug: Callable[[], None] | None = None
    plug: Callable[[], None] | None = None


@dataclass
class CameraUnderTest:
    camera: Camera
    clock: Clock
    unplug: Callable[[], None] | None = None
    plug: Callable[[], None] | None = None
    is_twin: bool = False
    takes_its_time: bool = True
    """Whether an exposure lasts; Aravis' fake camera only pretends."""


def backends(*names: str) -> list[object]:
    real = pytest.param("hardware", marks=pytest.mark.hardware)
    return [*names, real, pytest.param("kernel", marks=pytest.mark.webcam)]


LENSES = (
    "twin",
    "twin in dioptres",
    "twin in steps",
    "stack",
    "emulated",
    "emulated optotune",
    "icc-1c",
    "icc-4c",
    "webcam",
    "ROS driver",
    "INDI simulator",
    "camera's lens port",
    "fake",
    "example",
)


@pytest.fixture(params=backends(*LENSES))
def lens_under_test(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LensUnderTest]:
    if request.param == "emulated":
        with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
            settings = VariopticSettings(port=str(emulator.link), reply_timeout_s=0.5)
            lens = VariopticLens(settings)
            yield LensUnderTest(lens, SteadyClock(), emulator.unplug, emulator.plug)
            lens.close()
    elif request.param == "emulated optotune":
        emulated = LensEmulatorSettings(device="optotune", paced=False)
        with LensEmulator(tmp_path / "lens", emulated) as emulator:
            tunable = OptotuneLens(OptotuneSettings(port=str(emulator.link), reply_timeout_s=0.5))
            yield LensUnderTest(tunable, SteadyClock(), emulator.unplug, emulator.plug)
            tunable.close()
    elif request.param in ("icc-1c", "icc-4c"):
        clock = ManualClock()
        board = IccBoard(request.param, 2 if request.param == "icc-4c" else 0)
        icc = Icc(tmp_path / "port", board.controller, board.channel)
        install(request.getfixturevalue("monkeypatch"), icc)
        at_icc = IccLens(IccSettings(port=str(icc.port), board=board), clock)
        yield LensUnderTest(at_icc, clock, icc.unplug, icc.plug)
        at_icc.close()
    elif request.param == "camera's lens port":
        optic = OpticNodes()
        server = LensPortServer(tmp_path / "port", optic)
        server.start()
        at_port = PylonLens(RemoteLensPort(tmp_path / "port"))
        yield LensUnderTest(at_port, SteadyClock(), optic.unplug, optic.plug)
        at_port.close()
        server.stop()
    elif request.param == "INDI simulator":
        pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")
        with simulator() as server:
            focuser = IndiLens(IndiSettings(server=f"127.0.0.1:{server.port}", device=SIMULATOR))
            yield LensUnderTest(focuser, SteadyClock(), server.stop, server.start)
            focuser.close()
    elif request.param == "hardware":
        port = os.environ.get(LENS_PORT) or pytest.skip(f"set {LENS_PORT} to the port of a lens board")
        real = VariopticLens(VariopticSettings(port=port))
        yield LensUnderTest(real, SteadyClock())
        real.close()
    elif request.param == "kernel":
        plugged = request.getfixturevalue("kernel_webcam")
        motor = WebcamLens(access=WebcamAccess(folder=tmp_path))
        yield LensUnderTest(motor, SteadyClock(), plugged.unplug, plugged.plug)
        motor.close()
    elif request.param == "webcam":
        clock = ManualClock()
        device = MemoryWebcam(clock, tmp_path)
        focus = WebcamLens(clock=clock, access=device.access)
        yield LensUnderTest(focus, clock, device.unplug, device.plug)
        focus.close()
    elif request.param == "ROS driver":
        clock = ManualClock()
        host = ScriptedHost(clock)
        of_driver = DriverLens(driver_named("camera_ros"), host.port, clock=clock)
        yield LensUnderTest(of_driver, clock, host.stop, host.start)
        of_driver.close()
    elif request.param == "fake":
        clock = ManualClock()
        fake = FakeLens(clock)
        yield LensUnderTest(fake, clock, fake.failures.unplug, fake.failures.plug)
    elif request.param == "stack":
        clock = ManualClock()
        # As many frames as the suite's smallest move needs.
        yield LensUnderTest(StackLens(clock, load_stack(squares_stack(tmp_path, frames=40))), clock)
    elif request.param == "example":
        clock = ManualClock()
        yield LensUnderTest(example("own_lens").OwnLens(clock), clock)
    else:
        clock = ManualClock()
        profiles = {"twin": lens_model(), "twin in dioptres": DIOPTRES, "twin in steps": STEPS}
        yield LensUnderTest(TwinLens(clock, profiles[request.param]), clock)


@pytest.fixture
def chart_scene(tmp_path: Path) -> str:
    """Random squares; a test may change the picture."""
    return squares_scene(tmp_path)


@pytest.fixture(scope="session")
def kernel_webcam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelWebcam]:
    """The emulated webcam behind Linux's own driver."""
    webcam = KernelWebcam(*chart_options(squares_scene(tmp_path_factory.mktemp("chart"))))
    yield webcam
    webcam.close()


@pytest.fixture
def make_studio() -> Iterator[Callable[..., PylonStudio]]:
    """Makes emulated cameras on a bench, with settings of their own, not opened yet."""
    made: list[PylonStudio] = []

    def make(**settings: object) -> PylonStudio:
        made.append(PylonStudio(**settings))
        return made[-1]

    yield make
    for studio in made:
        studio.close()


@pytest.fixture
def studio(make_studio: Callable[..., PylonStudio]) -> PylonStudio:
    """An emulated camera on a bench, opened."""
    made = make_studio()
    made.camera.open()
    return made


CAMERAS = (
    "twin",
    "stack",
    "emulated",
    "webcam",
    "ROS driver",
    "ROS driver without metadata",
    "Aravis' fake camera",
    "fake",
    "example",
)


@pytest.fixture(params=backends(*CAMERAS))
def camera_under_test(
    request: pytest.FixtureRequest, chart_scene: str, tmp_path: Path
) -> Iterator[CameraUnderTest]:
    if request.param == "emulated":
        bench = CameraBench()
        feed = PictureFeed(lambda exposure_us, gain_db: np.zeros((48, 64), np.uint8))
        camera = PylonCamera(PylonSettings(width=64, height=48), attach=bench.attach, listener=feed)
        yield CameraUnderTest(camera, SteadyClock(), bench.unplug, bench.plug)
        camera.close()
        feed.close()
    elif request.param == "hardware":
        address = os.environ.get(CAMERA_ADDRESS) or pytest.skip(
            f"set {CAMERA_ADDRESS} to a camera's serial number"
        )
        real = PylonCamera(PylonSettings(address=address))
        yield CameraUnderTest(real, SteadyClock())
        real.close()
    elif request.param == "kernel":
        plugged = request.getfixturevalue("kernel_webcam")
        eye = WebcamCamera(WebcamSettings(margin_s=30.0), access=WebcamAccess(folder=tmp_path))
        yield CameraUnderTest(eye, SteadyClock(), plugged.unplug, plugged.plug)
        eye.close()
    elif request.param == "webcam":
        clock = ManualClock()
        device = MemoryWebcam(clock, tmp_path)
        webcam = WebcamCamera(WebcamSettings(), clock, device.access)
        yield CameraUnderTest(webcam, clock, device.unplug, device.plug)
        webcam.close()
    elif request.param.startswith("ROS driver"):
        clock = ManualClock()
        host = ScriptedHost(clock, Script(has_metadata=request.param == "ROS driver"))
        eye_of_driver = DriverCamera(driver_named("camera_ros"), DriverSettings(), host.port, clock)
        yield CameraUnderTest(eye_of_driver, clock, host.stop, host.start)
        eye_of_driver.close()
    elif request.param == "Aravis' fake camera":
        with fake_genicam() as genicam:
            settings = AravisSettings(width=64, height=48, margin_s=2.0)
            eye_of_aravis = AravisCamera(settings, find=genicam.found)
            yield CameraUnderTest(
                eye_of_aravis, SteadyClock(), genicam.unplug, genicam.plug, takes_its_time=False
            )
            eye_of_aravis.close()
    elif request.param == "fake":
        clock = ManualClock()
        fake = FakeCamera(clock)
        yield CameraUnderTest(fake, clock, fake.failures.unplug, fake.failures.plug)
    elif request.param == "stack":
        clock = ManualClock()
        yield CameraUnderTest(StackCamera(clock, load_stack(squares_stack(tmp_path / "stack"))), clock)
    elif request.param == "example":
        clock = ManualClock()
        yield CameraUnderTest(example("own_camera").OwnCamera(clock), clock)
    else:
        clock = ManualClock()
        twin = TwinCamera(clock, world=World(scene=chart_scene), width=64, height=48)
        yield CameraUnderTest(twin, clock, is_twin=True)
