"""``dasha lens``, ``camera``, ``emulate`` and ``calibrate`` on emulated devices."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
import yaml
from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.emulators.camera.pictures import enable_emulator
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.optics.lens_table import TableLens
from dasha_ros.optics.profiles import lens_model

CAMERA = "0815-0000"
"""pylon's first emulated camera."""


def run(*arguments: object, **options: object):
    return CliRunner().invoke(app, [str(a) for a in arguments], **options)


@pytest.fixture(autouse=True)
def _no_genicam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may run Aravis' fake camera meanwhile, on the network that all share."""
    monkeypatch.setattr("dasha_ros.devices.aravis.discovery.list_if_installed", list)


@pytest.fixture
def lens(tmp_path: Path) -> Iterator[LensEmulator]:
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
        yield emulator


@pytest.fixture
def tunable(tmp_path: Path) -> Iterator[LensEmulator]:
    settings = LensEmulatorSettings(device="optotune", paced=False)
    with LensEmulator(tmp_path / "tunable", settings) as emulator:
        yield emulator


class Program:
    """The command as a process with an interactive standard input."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dasha_ros.cli", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def answer(self) -> str:
        """The next line of output."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip()

    def ask(self, line: str) -> str:
        """Type a line and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.answer()

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return the exit code and the last output."""
        self._process.send_signal(number)
        words, _ = self._process.communicate(timeout=600)
        return self._process.returncode, words

    def kill(self) -> None:
        """End the process in any case."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*arguments: object) -> Program:
        programs.append(Program(*arguments))
        return programs[-1]

    yield start
    for started in programs:
        started.kill()


def test_a_lens_is_set_and_read(lens: LensEmulator) -> None:
    done = run("lens", "set", 45.0, "--port", lens.link)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "45.0035 V, commanded 45.000 V"
    done = run("lens", "get", env={"DASHA_LENS_PORT": str(lens.link)})
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "45.0035 V, commanded 45.000 V"
    assert done.stdout.splitlines()[2] == "faults: none"
    assert lens.position() == pytest.approx(45.0035)


def test_an_optotune_lens_is_set_and_read(tunable: LensEmulator) -> None:
    named = ("--port", tunable.link, "--board", "lens-driver-4")
    done = run("lens", "set", 1.234, *named)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:2] == [
        "1.2350 D, commanded 1.234 D",
        f"Optotune Lens Driver 4 at {tunable.link}, firmware 1.11.7.42",
    ]
    assert tunable.position() == pytest.approx(1.235)
    tunable.board.set_faults(0b10_0000)
    done = run("lens", "faults", *named)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == ["temperature outside the specification"]
    done = run("lens", "set", 3.1, *named)
    assert done.exit_code == 2
    assert "it must be a number from -2.0 to 3.0 D" in done.stderr


def test_ports_are_listed_with_the_back_end_that_they_probably_need(monkeypatch: pytest.MonkeyPatch) -> None:
    bridges = [
        SimpleNamespace(
            device=f"/dev/ttyACM{number}",
            serial_number=serial,
            manufacturer=maker,
            product=product,
            vid=vid,
            pid=pid,
        )
        for number, (serial, maker, product, vid, pid) in enumerate(
            [
                ("A1", "Optotune", "LD", 1, 1),
                ("0001", "Silicon Labs", "CP2102", 1, 1),
                (None, None, None, 1, 1),
                (None, None, None, None, None),  # a port on the main board
                ("C1", "Optotune", None, 0x0483, 0xA31E),
            ]
        )
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: bridges)
    done = run("lens", "list")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "/dev/ttyACM0: Optotune LD, serial number A1, back end optotune",
        "/dev/ttyACM1: Silicon Labs CP2102, serial number 0001, back end varioptic",
        "/dev/ttyACM2: no description, serial number none, back end unknown",
        "/dev/ttyACM4: Optotune, serial number C1, back end optotune_icc",
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    done = run("lens", "list")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no serial port with a USB bridge" in done.stderr


def test_faults_are_printed_and_counted_as_a_failure(lens: LensEmulator) -> None:
    assert run("lens", "faults", "--port", lens.link).exit_code == 0
    lens.board.set_faults(0b101)
    done = run("lens", "faults", "--port", lens.link)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == ["overload", "thermal shutdown"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("lens", "set", "71", "--port", "{port}"), 2, "refused: it must be a number from 24.0 to 70.0"),
        (("lens", "get", "--port", "{port}", "--board", "toaster"), 2, "unknown lens board 'toaster'"),
        (("lens", "get", "--port", "{port}x"), 3, "there is no"),
        (("camera", "snap", "--serial", "999", "-o", "{folder}/x.png"), 3, "no camera '999' is there"),
        (("camera", "snap", "-o", "/nowhere/x.png"), 2, "there is no folder /nowhere"),
        (("camera", "snap", "--exposure", "1", "-o", "{folder}/x.png"), 2, "takes 100 to 3e+06 us"),
        (("camera", "snap", "--encoding", "jpeg", "-o", "{folder}/x.png"), 2, "'jpeg' is not one of"),
        (("calibrate", "lens", "-o", "/nowhere/x.yaml"), 2, "there is no folder /nowhere"),
        (("calibrate", "lens", "--rig", "toy", "-o", "{folder}/x"), 2, "unknown rig 'toy'"),
        (("calibrate", "lens", "-o", "{folder}/x"), 2, "give the lens's serial port"),
        (("calibrate", "lens", "--distances", "1,x", "-o", "{folder}/x"), 2, "write metres with commas"),
        (("calibrate", "lens", "--distances", "1", "-o", "{folder}/x"), 2, "two or more different"),
        (("calibrate", "lens", "--distances", "400,700", "-o", "{folder}/x"), 2, "metres, not millimetres"),
        (("calibrate", "lens", "--distances", "1,inf", "-o", "{folder}/x"), 2, "give the lens's serial port"),
        (("emulate", "lens", "--link", "{port}"), 2, "another lens emulator serves"),
        (
            ("emulate", "lens", "--device", "toaster"),
            2,
            "device 'toaster'; known: varioptic, optotune",
        ),
        (
            ("emulate", "lens", "--device", "optotune", "--profile", "paper"),
            2,
            "the emulated optotune lens",
        ),
        (("lens", "get", "--port", "{port}", "--board", "lens-driver-4"), 3, "as an Optotune Lens Driver 4"),
        (("lens", "get", "--port", "{port}", "--board", "icc-4c"), 2, "register at optotune.com, download"),
        (
            ("calibrate", "lens", "--board", "icc-1c:3", "--port", "x", "-o", "{folder}/x"),
            2,
            "only channel 0",
        ),
        (("emulate", "camera", "--scene", "atlantis"), 2, "no scene 'atlantis'"),
    ],
)
def test_impossible_arguments_are_refused_with_a_sentence(
    arguments: tuple[str, ...], code: int, words: str, lens: LensEmulator, tmp_path: Path
) -> None:
    enable_emulator()
    done = run(*(a.format(port=lens.link, folder=tmp_path) for a in arguments))
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert "Traceback" not in done.output


def test_cameras_are_listed() -> None:
    done = run("camera", "list", "--emulated")
    assert done.exit_code == 0
    assert any(CAMERA in line and "BaslerCamEmu" in line for line in done.stdout.splitlines())


def test_without_a_camera_the_list_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dasha_ros.devices.bench.list_cameras", list)
    done = run("camera", "list")
    assert done.exit_code == 1
    assert "pylon sees no camera, Aravis neither, and there is no webcam. Check power" in done.stderr


def test_a_missing_library_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("No module named 'pypylon'")

    monkeypatch.setattr("dasha_ros.devices.bench.list_cameras", missing)
    done = run("camera", "list")
    assert done.exit_code == 2
    assert "./scripts/setup --hardware" in done.stderr


def test_both_emulators_as_programs_and_a_picture_through_them(
    tmp_path: Path, program: Callable[..., Program]
) -> None:
    port, socket, picture = tmp_path / "lens", tmp_path / "camera", tmp_path / "seen.png"
    serving = program("emulate", "lens", "--link", port, "--step", 0, "--nack", 0.1)
    looking = program(
        "emulate", "camera", "--socket", socket, "--lens-link", port, "--scene", write_chart(tmp_path),
        "--illuminance", 300, "--width", 320, "--height", 170,
    )  # fmt: skip
    assert serving.answer() == f"lens at {port}"
    assert looking.answer() == f"pictures at {socket}"
    sharpness = []
    for position in (43.226, 60.0):
        assert run("lens", "set", position, "--port", port).exit_code == 0
        assert f"{position:.4f} V" in serving.ask("state")  # a board without steps
        done = run(
            "camera", "snap", "--serial", CAMERA, "--emulator", socket, "--exposure", 8000, "-o", picture
        )
        assert done.exit_code == 0, done.output
        assert "8000 us" in done.stdout
        seen = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
        assert seen.shape == (170, 320)
        sharpness.append(float(cv2.Laplacian(seen, cv2.CV_64F).var()))
    assert sharpness[0] > 3 * sharpness[1]
    assert "distances_m=(0.5,)" in looking.ask("set distances_m=0.5 illuminance_lx=20")
    assert serving.ask("unplug") == "unplugged"
    assert run("lens", "get", "--port", port).exit_code == 3
    for emulator, number in ((looking, signal.SIGTERM), (serving, signal.SIGINT)):
        assert emulator.end(number) == (0, "unplugged\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chart.png", "chart.yaml", "seen.png"]


@pytest.mark.slow
def test_the_emulated_rig_is_calibrated_and_the_twins_profile_comes_out(tmp_path: Path) -> None:
    profile = tmp_path / "lens.yaml"
    done = run(
        "calibrate", "lens", "--rig", "emulated", "-o", profile, "--distances", "0.5,0.9,1.6",
        "--low", 39, "--high", 49,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    model, truth = lens_model(profile), lens_model("physical")
    assert isinstance(model, TableLens)
    for dioptres in (0.6, 1.0, 2.0):
        # The liquid's play is 0.05 V, approached from one side.
        assert model.position(dioptres) - truth.position(dioptres) == pytest.approx(0.05, abs=0.1)
    assert model.settle_s is not None
    assert 0.02 <= model.settle_s <= 0.15  # 20 ms of time constant, 1.5 D of a move
    assert cv2.imread(str(tmp_path / "lens.png")).shape[2] == 3
    assert re.search(r"0\.3\d+ D/V, infinity at 40\.\d+ V", done.stdout)
    assert f"lens_driver.profile={profile}" in done.stdout


def test_a_person_is_asked_for_distances(lens: LensEmulator, tmp_path: Path, monkeypatch) -> None:
    from dasha_ros.devices.calibration.scan import FocusPeak, Scanner

    position = iter([48.0, 43.2])
    monkeypatch.setattr(Scanner, "meter", lambda *_: 1000.0)
    monkeypatch.setattr(Scanner, "find_focus", lambda *_: FocusPeak(next(position), ()))
    enable_emulator()
    profile = tmp_path / "my [new] lens.yaml"
    done = run(
        "calibrate", "lens", "--port", lens.link, "--serial", CAMERA, "-o", profile, "--no-settling",
        input="0,4\nnear\n1.0\n\n",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "'near' is not a distance" in done.stderr
    assert shlex.split(done.stdout.splitlines()[-1])[-1] == f"lens_driver.profile={profile}"
    points = yaml.safe_load(profile.read_text())["points"]
    assert points == [{"position": 43.2, "distance_m": 1}, {"position": 48.0, "distance_m": 0.4}]
    assert lens.position() == 24.4  # on standby: nothing rests on the lens


def test_a_person_is_told_where_to_put_the_target(lens: LensEmulator, tmp_path: Path, monkeypatch) -> None:
    from dasha_ros.devices.calibration.profile import CalibrationError
    from dasha_ros.devices.calibration.scan import Scanner

    def nothing_to_see(*_: object) -> None:
        raise CalibrationError("no clear focus between 24 and 70 V: give the target fine texture")

    monkeypatch.setattr(Scanner, "meter", lambda *_: 1000.0)
    monkeypatch.setattr(Scanner, "find_focus", nothing_to_see)
    enable_emulator()
    done = run(
        "calibrate", "lens", "--port", lens.link, "--serial", CAMERA, "-o", tmp_path / "x.yaml",
        "--distances", "0.4,1", input="\n",
    )  # fmt: skip
    assert done.exit_code == 1
    assert "put the target at 0.4 m" in done.stderr
    assert "put the target at 1 m" not in done.stderr
    assert "give the target fine texture" in done.stderr
    assert not (tmp_path / "x.yaml").exists()


def test_webcams_are_listed_where_pylon_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    brio = WebcamFound(Path("/dev/video0"), "Brio", "046d:085e", "AB12", "1-2")
    monkeypatch.setattr("dasha_ros.devices.v4l2.discovery.list_webcams", lambda: [brio])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = run("camera", "list")
    assert done.exit_code == 0
    assert done.stdout.split() == ["webcam", "Brio", "on", "/dev/video0", "(AB12,", "at", "1-2)"]
