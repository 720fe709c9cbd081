"""``dasha setup-camera`` as people call it: on webcams in memory, on the twin, and on the emulated rig."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
from typer.testing import CliRunner, Result
from webcam_in_memory import MemoryWebcam

from dasha_ros.assets.fetch import missing
from dasha_ros.bringup.graph import Options, describe
from dasha_ros.cli import app
from dasha_ros.cli.devices.setup import asking, found
from dasha_ros.cli.devices.setup.command import _conclude
from dasha_ros.devices.lag import latency
from dasha_ros.devices.v4l2 import device as webcam_device
from dasha_ros.devices.v4l2 import discovery
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.emulators.webcam.controls import WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
from dasha_ros.freshness import clock as clocks
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.world import World

RUNNER = CliRunner()
SIZE = PictureSize(320, 240, 30.0)
LAG = 3
NEEDS_PHOTOGRAPHS = pytest.mark.skipif(
    bool(missing()), reason="photographs and models are not fetched: run `dasha assets fetch`"
)


def setup(folder: Path, *options: str, keys: str | None = None) -> Result:
    return RUNNER.invoke(app, ["setup-camera", "-o", str(folder / "mine.yaml"), *options], input=keys)


def said(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "FOLDER", str(tmp_path / "latency"))


@pytest.fixture(autouse=True)
def _no_genicam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may run Aravis' fake camera meanwhile, on the network that all share."""
    monkeypatch.setattr("dasha_ros.devices.aravis.discovery.list_if_installed", list)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Sockets take paths of 107 bytes at most, and those of tests are long."""
    with tempfile.TemporaryDirectory(prefix="dasha") as folder:
        yield Path(folder)


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(asking, "sys", terminal)


@pytest.fixture
def webcam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryWebcam:
    """The only webcam of this machine: it looks at random squares, and its pictures lag."""
    clock, world = ManualClock(), World(scene=str(write_chart(tmp_path)), illuminance_lx=300.0)
    painter = TwinPainter(SIZE, world=world, seed=0)
    made = MemoryWebcam(
        clock,
        tmp_path,
        knobs=WebcamKnobs(LAG, LAG, focus_time_constant_s=0.03, focus_play=2.5),
        size=(SIZE.height, SIZE.width),
        paint=lambda shown, size: painter(shown),
    )
    monkeypatch.setattr(webcam_device, "WebcamAccess", lambda: made.access)
    monkeypatch.setattr(discovery, "list_webcams", made.find)
    monkeypatch.setattr(clocks, "SteadyClock", lambda: clock)
    return made


def test_commands_that_are_told_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _conclude(Path("my [new] rig.yaml"), "twin")
    _, started, launched = capsys.readouterr().out.splitlines()
    assert shlex.split(started)[-2:] == ["--params-file", "my [new] rig.yaml"]
    assert shlex.split(launched)[-1] == f"params_file:={tmp_path}/my [new] rig.yaml"


def test_nobody_is_asked_on_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "cameras", lambda: 1 / 0)
    result = setup(tmp_path)
    assert result.exit_code == 2
    assert "add --yes to do every step" in said(result)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--skip", "lense"), "unknown step 'lense'; known: camera, latency, lens, goal"),
        (
            ("--camera", "toaster"),
            "--camera 'toaster': it is one of webcam, pylon, aravis, ros, twin, emulated",
        ),
        (("--camera", "ros:v4l3"), "driver 'v4l3' is not in the table"),
        (("--camera", "twin", "--lens", "varioptic"), "--lens 'varioptic': it is one of own, varioptic"),
        (("--camera", "pylon", "--lens", "optotune_icc"), "own, varioptic, optotune, optotune_icc, indi"),
        (("--skip", "camera"), "nothing more can be done without a camera"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    result = setup(tmp_path, "--yes", *options)
    assert result.exit_code == 2
    assert sentence in said(result)
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "/**/camera_driver:\n  ros__parameters: {gain_db: 3.0}\n",
            "was not written by `dasha setup-camera`",
        ),
        ("/**/camera_driver:\n  ros__parameters: {gain_db: 99.0}\n", "line 2: camera_driver: gain_db"),
        ("{", "mine.yaml: "),
    ],
)
def test_somebody_elses_file_is_left_alone(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    result = setup(tmp_path, "--yes", "--camera", "twin")
    assert result.exit_code == 2
    assert sentence in said(result)
    assert path.read_text() == text


def test_where_nothing_is_plugged_in_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found, "cameras", list)
    result = setup(tmp_path, "--yes")
    assert result.exit_code == 3
    assert "no camera was found" in said(result)
    assert "--camera emulated" in said(result)


def test_of_several_cameras_one_must_be_named_where_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [WebcamFound(Path(f"/dev/video{n}"), "Cam", "046d:0825", f"S{n}", f"1-{n}") for n in (0, 2)]
    monkeypatch.setattr(discovery, "list_webcams", lambda: two)
    monkeypatch.setattr(found, "_pylon", lambda: iter(()))
    monkeypatch.setattr(found, "_drivers", lambda: iter(()))
    result = setup(tmp_path, "--yes")
    assert result.exit_code == 2
    assert "--camera webcam:S0 (webcam Cam on /dev/video0" in said(result)
    assert "--camera webcam:S2" in said(result)


def test_a_user_outside_the_group_video_is_told_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, really = WebcamFound(Path("/dev/video0"), "Cam", "046d:0825", "S1", "1-1"), os.access
    access = webcam_device.WebcamAccess(find=lambda: [node], folder=tmp_path)
    monkeypatch.setattr(webcam_device, "WebcamAccess", lambda: access)
    monkeypatch.setattr(discovery, "list_webcams", lambda: [node])
    monkeypatch.setattr(os, "access", lambda path, mode: path != node.node and really(path, mode))
    result = setup(tmp_path, "--yes", "--camera", "webcam")
    assert result.exit_code == 3
    assert "this user may not open /dev/video0: sudo usermod -aG video $USER" in said(result)
    assert not (tmp_path / "mine.yaml").exists()


def test_a_webcam_that_another_graph_uses_is_left_alone(tmp_path: Path, webcam: MemoryWebcam) -> None:
    other = WebcamCamera(WebcamSettings(exposure_us=5_000.0), webcam.clock, webcam.access)
    other.open()
    result = setup(tmp_path, "--yes", "--camera", "webcam")
    assert result.exit_code == 3
    assert "another process already uses the camera of" in said(result)
    assert webcam.states.get("exposure_time") == 50
    other.close()
    rest = [option for step in ("latency", "lens", "goal") for option in ("--skip", step)]
    result = setup(tmp_path, "--yes", "--camera", "webcam", *rest)
    assert result.exit_code == 0, result.output


def test_a_webcam_without_a_focus_motor_is_told_to_be_one(tmp_path: Path, webcam: MemoryWebcam) -> None:
    webcam.has_focus = False
    webcam.plug()
    result = setup(tmp_path, "--yes", "--camera", "webcam")
    assert result.exit_code == 3
    assert "has no focus motor" in said(result)
    assert "adjust_exposure" in said(result)


@pytest.mark.slow
def test_a_webcam_is_measured_and_its_file_starts_a_graph(tmp_path: Path, webcam: MemoryWebcam) -> None:
    result = setup(tmp_path, "--yes", "--camera", "webcam", "--skip", "goal")
    assert result.exit_code == 0, result.output
    lag = latency.file_of(webcam.found.model).read_text()
    assert f"exposure_frames: {LAG}" in lag or f"exposure_frames: {LAG + 1}" in lag
    profile = tmp_path / "mine.lens.yaml"
    measured = lens_model(profile)
    assert measured.position_max == 250.0
    slope = measured.blur_px(measured.dioptres(150.0), measured.dioptres(100.0))
    truth = WEBCAM_LENS.blur_px(WEBCAM_LENS.dioptres(150.0), WEBCAM_LENS.dioptres(100.0))
    assert slope == pytest.approx(truth, rel=0.05)
    graph = describe(Options(params_file=str(tmp_path / "mine.yaml")), {})
    given = {process.name: dict(process.parameters) for process in graph.processes}
    assert graph.warnings == ()
    assert "twin_world" not in given
    assert given["camera_driver"] == {"backend": "v4l2", "serial": "W1", "width": 640, "height": 480}
    assert given["lens_driver"] == {"backend": "v4l2", "serial": "W1", "profile": str(profile)}


@NEEDS_PHOTOGRAPHS
def test_steps_are_skipped_and_an_interrupted_setup_goes_on(tmp_path: Path, at_a_terminal: None) -> None:
    # Camera: yes. Latency: skip. Lens: what? yes. Goal: stop.
    result = setup(tmp_path, "--camera", "twin", keys="\ns\nwhat\n\nq\n")
    assert result.exit_code == 0, result.output
    assert "goes on here" in said(result)
    done = (tmp_path / "mine.yaml").read_text()
    assert 'done: "camera lens"' in done
    again = setup(tmp_path, "--yes", "--skip", "goal")
    assert again.exit_code == 0
    assert 'done: "camera lens latency"' in (tmp_path / "mine.yaml").read_text()
    assert again.output.count("done before") == 2
    other = setup(tmp_path, "--yes", "--camera", "emulated")
    assert other.exit_code == 2
    assert "is of the camera twin" in said(other)


def test_a_step_that_fails_may_be_tried_again(
    tmp_path: Path, at_a_terminal: None, webcam: MemoryWebcam
) -> None:
    rest = [option for step in ("latency", "lens", "goal") for option in ("--skip", step)]
    other = WebcamCamera(WebcamSettings(), webcam.clock, webcam.access)
    other.open()
    # The first try fails, a second one, too; then the person gives up.
    result = setup(tmp_path, "--camera", "webcam", *rest, keys="\n\nq\n")
    assert result.exit_code == 0
    assert said(result).count("that did not work; mend it and try again") == 2
    other.close()
    assert setup(tmp_path, "--camera", "webcam", *rest, keys="\n").exit_code == 0
    assert 'done: "camera"' in (tmp_path / "mine.yaml").read_text()


@pytest.mark.slow
@pytest.mark.graph
@NEEDS_PHOTOGRAPHS
def test_the_emulated_rig_is_set_up_from_nothing_to_a_first_goal(
    tmp_path: Path, ros_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, short_folder: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    result = setup(tmp_path, "--yes", "--camera", "emulated", "--skip", "goal")
    assert result.exit_code == 0, result.output
    path = tmp_path / "mine.yaml"
    # People may add parameters of their own.
    own = f"/**/focus_server: {{ros__parameters: {{report_dir: {tmp_path / 'reports'}}}}}\n"
    for agent in ("high_level_agent", "low_level_agent"):
        own += f"/**/{agent}: {{ros__parameters: {{inference_budget_s: 20.0}}}}\n"
    path.write_text(path.read_text() + own)
    result = setup(tmp_path, "--yes", "--label", "motorcycle")
    assert result.exit_code == 0, result.output
    assert "found motorcycle" in said(result)
    assert len(list((tmp_path / "reports").iterdir())) == 1
    model, truth = lens_model(tmp_path / "mine.lens.yaml"), lens_model("physical")
    measured = model.blur_px(model.dioptres(46.0), model.dioptres(40.0))
    assert measured == pytest.approx(truth.blur_px(truth.dioptres(46.0), truth.dioptres(40.0)), rel=0.05)
    assert cv2.imread(str(tmp_path / "mine.lens.png")).shape[2] == 3
    assert "dasha up --rig emulated --params-file" in said(result)
    assert 'done: "camera latency lens goal"' in path.read_text()
