"""The steps of the setup. Each ends like a command of its own: by returning, or by `typer.Exit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dasha_ros.cli.devices.setup import found
from dasha_ros.cli.devices.setup.asking import Asking
from dasha_ros.cli.terminal.console import Exit, err, fail

if TYPE_CHECKING:
    from dasha_ros.cli.devices.setup.file import SetupFile

CAMERA, LATENCY, LENS, GOAL = "camera", "latency", "lens", "goal"
_LAGGING = ("v4l2", "ros_driver")
"""Back ends whose picture follows their settings by some frames."""
ACTIVE_S = 90.0
"""How long a graph may take until all nodes are active [s]."""


@dataclass(frozen=True)
class Wishes:
    """The options of the setup."""

    camera: str = ""
    lens: str = ""
    label: str = ""
    low: float | None = None
    high: float | None = None
    near_end: str = "greatest"


@dataclass(frozen=True)
class Step:
    """One step."""

    name: str
    says: str
    """What it will do, for people."""
    run: Callable[[SetupFile, Wishes, Asking], None]


def choose_camera(file: SetupFile, wishes: Wishes, asking: Asking) -> None:
    """Find a camera and its lens, open both, and take a picture."""
    from dasha_ros.cli.devices.hardware import device_errors
    from dasha_ros.cli.devices.rig_devices import rig_devices
    from dasha_ros.config.overrides import override_texts
    from dasha_ros.devices.calibration.scan import patient_capture

    with device_errors():
        camera = found.camera_named(wishes.camera) if wishes.camera else _found_camera(asking)
        if wishes.lens:
            lens = found.lens_named(wishes.lens, camera)
        else:
            lens = asking.one_of(found.lenses_for(camera), "--lens")
        err().print(f"{camera.what}; {lens.what}")
        parameters = {**camera.parameters, **lens.parameters}
        with rig_devices(camera.rig, overrides=override_texts(parameters)) as devices:
            height, width = patient_capture(devices.camera, 0).pixels.shape[:2]
            info = devices.lens.info
    err().print(
        f"it sends {width}x{height} px; the lens goes from {info.position_min:g} to {info.position_max:g} "
        f"{info.unit}",
    )
    file.begin(camera.name, lens.name, camera.rig, parameters)
    file.finish(CAMERA)


def _found_camera(asking: Asking) -> found.Choice:
    there = found.cameras()
    if not there:
        fail(
            "no camera was found: no webcam (/dev/video*), no Basler camera, and none of the camera nodes of "
            "`config/drivers.yaml` runs. Plug one in or start its node; `dasha doctor` says what is missing. "
            "To try without a camera: --camera emulated",
            Exit.UNREACHABLE,
        )
    return asking.one_of(there, "--camera")


def measure_latency(file: SetupFile, wishes: Wishes, asking: Asking) -> None:
    """Measure by how many frames pictures follow, where a camera does not tell it itself."""
    from dasha_ros.cli.devices.calibrate_latency import calibrate_latency

    backend = file.value("camera_driver.backend")
    if backend not in _LAGGING:
        err().print("not needed: this camera says for every picture what made it")
    else:
        driver = str(file.value("camera_driver.driver") or "")
        calibrate_latency(
            "" if driver else str(file.value("camera_driver.serial") or ""),
            driver=driver,
            driver_node=str(file.value("camera_driver.driver_node") or ""),
            focus=file.value("lens_driver.backend") == backend,
        )
    file.finish(LATENCY)


def calibrate_lens(file: SetupFile, wishes: Wishes, asking: Asking) -> None:
    """Measure the blur of a step, and name the profile in the file."""
    from dasha_ros.cli.devices.calibrate_blind import Wanted, calibrate_blind, calibration_errors
    from dasha_ros.cli.devices.hardware import device_errors

    if file.camera == "twin":
        err().print("not needed: the simulated lens knows its map")
        file.finish(LENS)
        return
    profile = file.path.with_suffix(".lens.yaml").absolute()
    wanted = Wanted(profile, profile.with_suffix(".png"), wishes.low, wishes.high, near_end=wishes.near_end)
    overrides = tuple(text for text in file.overrides() if not text.startswith("lens_driver.profile="))
    with device_errors(), calibration_errors():
        calibrate_blind(wanted, file.rig, overrides=overrides)
    file.finish(LENS, {"lens_driver.profile": str(profile)})


def first_goal(file: SetupFile, wishes: Wishes, asking: Asking) -> None:
    """Start the graph with the file and send one goal."""
    from dasha_ros.bringup.graph import Options, describe
    from dasha_ros.cli.focus import focus
    from dasha_ros.cli.graph.ready import GraphError, wait_until_active
    from dasha_ros.config import ConfigError

    try:
        from dasha_ros.bringup.lock import GraphRunsAlreadyError
        from dasha_ros.bringup.session import LogPrinter, Session
    except ImportError as error:
        fail(f"{error}. A goal needs ROS 2 and the built interfaces: run ./scripts/setup")
    console = err()
    try:
        graph = describe(Options(rig=file.rig, params_file=str(file.path)))
        names = tuple(process.name for process in graph.processes)
        console.print(f"starting {len(names)} nodes ...")
        with Session(graph, LogPrinter(console, names, quiet=True)) as session:
            wait_until_active(session, ACTIVE_S)
            _finished(lambda: focus([wishes.label] if wishes.label else None))
    except (ConfigError, GraphRunsAlreadyError) as error:
        fail(str(error), Exit.REFUSED)
    except GraphError as error:
        fail(str(error), Exit.UNREACHABLE)
    file.finish(GOAL)


def _finished(command: Callable[[], None]) -> None:
    """Run a command that ends by `typer.Exit`, and go on if its code is 0."""
    import typer

    try:
        command()
    except typer.Exit as ended:
        if ended.exit_code:
            raise


STEPS = (
    Step(
        CAMERA,
        "look for cameras and lenses, open the ones that you choose, and take a picture. Nothing moves.",
        choose_camera,
    ),
    Step(
        LATENCY,
        "measure how many frames late pictures of a webcam or a camera node show a new exposure and focus. "
        "Put something still with fine texture before it, such as a newspaper. A minute; the lens moves.",
        measure_latency,
    ),
    Step(
        LENS,
        "scan the whole range of the lens up and down and measure the blur of a step. Any still scene with "
        "texture will do, such as a book shelf. About a minute; the lens moves.",
        calibrate_lens,
    ),
    Step(
        GOAL,
        "start the graph with the parameter file, and let it expose and focus until an object is found and "
        "sharp. Put one before the camera, such as a cup. A minute; the lens moves.",
        first_goal,
    ),
)
