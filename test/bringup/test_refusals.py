"""What no node could configure itself with is refused before any process starts, in the node's own words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dasha_ros.bringup.graph import Options, describe
from dasha_ros.bringup.refusals import check_startable
from dasha_ros.cli import app
from dasha_ros.config import ConfigError, PerceptionConfig
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.ros.driver_nodes.backends import perception_of
from dasha_ros.system.paths import config_dir

POLICIES = config_dir() / "policies"


def refused(*overrides: str, **options: Any) -> str:
    """The sentence with which a graph is refused."""
    with pytest.raises(ConfigError) as told:
        check_startable(describe(Options(overrides=overrides, **options), {}))
    return str(told.value)


def said(use: Callable[[], Any]) -> str:
    """What the function says that a node calls when it configures itself."""
    with pytest.raises(Exception) as told:  # noqa: PT011  # whatever it is, the node shows its message
        use()
    return str(told.value)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A policy file that was cut short."""
    path = tmp_path / "cut.npz"
    path.write_bytes((POLICIES / "plus_focus.npz").read_bytes()[:5000])
    return path


@pytest.mark.parametrize("name", ["nosuch", "/nowhere/best.npz", "/etc/passwd", "torch", "~nobody/x.npz"])
def test_a_policy_is_refused_in_the_words_of_its_agent(name: str) -> None:
    for node, make in (("high_level_agent", exposure_policy), ("low_level_agent", focus_policy)):
        assert refused(f"{node}.policy={name}") == f"{node}: {said(lambda make=make: make(name))}"


def test_a_policy_file_that_is_damaged_or_the_other_agents_is_refused(damaged: Path) -> None:
    other = POLICIES / "plus_exposure.npz"
    for path in (damaged, other):
        sentence = said(lambda path=path: focus_policy(str(path)))
        assert path.name in sentence
        assert refused(focus_policy=str(path)) == f"low_level_agent: {sentence}"
    sentence = refused(f"low_level_agent.learn_from={other}", learn=True)
    assert sentence.startswith(f"low_level_agent: {other} is a policy for exposure, not for focus")


def test_a_learner_without_a_policy_to_start_from_is_refused(tmp_path: Path) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("extends: plus\nname: mine\n")
    sentence = refused(f"low_level_agent.preset={preset}", learn=True)
    assert sentence.startswith("low_level_agent: no policy of the preset mine ships to start learning from: ")
    assert "set the parameter learn_from" in sentence
    start = f"low_level_agent.learn_from={POLICIES / 'plus_focus.npz'}"
    assert refused(
        f"low_level_agent.preset={preset}", start, "trainer.scenes=[nosuch]", learn=True
    ).startswith("trainer: no scene 'nosuch'")


def test_a_scene_with_a_picture_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("layers: [{kind: photograph, photo: nope.png, distance_m: 1.0}]\n")
    assert refused(f"twin_world.scene={path}").startswith(
        f"twin_world: scene mine: there is no file {tmp_path / 'nope.png'}, "
    )
    sentence = refused(f"trainer.scenes=[{path}]", learn=True)
    assert sentence.startswith(f"trainer: scene mine: there is no file {tmp_path / 'nope.png'}, ")
    (tmp_path / "nope.png").write_text("no picture")
    assert f"{tmp_path / 'nope.png'}: is something else" in refused(f"twin_world.scene={path}")


@pytest.mark.parametrize(
    "values",
    [
        {"encoder": "nosuch"},
        {"encoder": "efficientnet_lite0+nosuch"},
        {"encoder_weights": "/nowhere/net.onnx"},
        {"detector": "nosuch"},
        {"detector": "os"},
        {"detector_weights": "/nowhere/net.onnx"},
        {"detector_weights": "/dev/null"},
        {"detector": "ultralytics", "detector_weights": "/nowhere/net.pt"},
        {"detector": "nosuch", "detector_classes": ["mug"]},
    ],
)
def test_a_network_is_refused_in_the_words_of_perception(values: dict[str, Any]) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: scripts/setup installs it")
    from dasha_ros.assets.fetch import missing

    if missing():
        pytest.skip("photographs and models are not fetched: run `dasha assets fetch`")
    sentence = said(lambda: perception_of(PerceptionConfig(**values)))
    overrides = tuple(f"perception.{key}={value}" for key, value in values.items())
    assert refused(*overrides) == f"perception: {sentence}"


@pytest.mark.parametrize(
    ("overrides", "options", "sentence"),
    [
        (
            (),
            {"detector": "faster_rcnn", "overrides": ("perception.detector_weights=/no.pth",)},
            "/no.pth (there is",
        ),
        (("lens_driver.profile=nosuch",), {}, f"lens_driver: {said(lambda: lens_model('nosuch'))}"),
        (
            ("device_emulator.profile=nosuch",),
            {"rig": "emulated"},
            "device_emulator: lens profile 'nosuch' is",
        ),
        (
            ("camera_driver.driver=nosuch",),
            {"rig": "ros-driver"},
            "camera_driver: driver 'nosuch' is not in the",
        ),
        (("low_level_agent.preset=nosuch",), {"learn": True}, "low_level_agent: no preset 'nosuch'; give"),
        (("trainer.scenes=[nosuch]",), {"learn": True}, "trainer: no scene 'nosuch'; give the path"),
    ],
)
def test_other_names_and_files_are_refused_too(
    overrides: tuple[str, ...], options: dict[str, Any], sentence: str
) -> None:
    more = options.pop("overrides", ())
    assert sentence in refused(*overrides, *more, **options)


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(learn=True),
        # Only the node may find these.
        Options(detector="my_nets:Detector", encoder="my_nets:Encoder+resnet152"),
        Options(exposure_policy="my_policies:Bright", focus_policy="my_policies:Fast"),
        Options(detector="my_nets:D", overrides=("perception.detector_weights=what only it knows",)),
        # Ultralytics downloads this one, or it is fetched, and then reads the words.
        Options(
            detector="ultralytics",
            overrides=("perception.detector_weights=yolov8s-world.pt", "perception.detector_classes=[mug]"),
        ),
        Options(detector="faster_rcnn", overrides=("perception.detector_weights=random",)),
        Options(focus_policy=str(POLICIES / "plus_focus.npz"), exposure_policy="histogram"),
        # These are not used.
        Options(detector="nosuch", overrides=("perception.detector_topic=/yolo/found",)),
        Options(learn=True, focus_policy="nosuch"),
        Options(rig="replay", overrides=("camera_driver.recording=/tmp", "lens_driver.profile=nosuch")),
        # A lifecycle manager may still set it.
        Options(focus_policy="nosuch", autostart=False),
    ],
    ids=str,
)
def test_what_a_node_may_accept_is_left_to_the_node(options: Options) -> None:
    check_startable(describe(options, {}))


def test_a_python_that_lacks_a_package_leaves_the_judgement_to_the_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dasha_ros.perception.detectors", None)
    check_startable(describe(Options(detector="nosuch"), {}))


def test_nothing_heavy_is_imported_for_it() -> None:
    path = POLICIES / "plus_focus.npz"
    code = (
        "import sys; from dasha_ros.bringup.graph import Options, describe\n"
        "from dasha_ros.bringup.refusals import check_startable\n"
        f"given = Options(detector='nanodet', encoder='resnet152', focus_policy={str(path)!r})\n"
        "check_startable(describe(given))\n"
        "print({'rclpy', 'torch', 'cv2', 'onnxruntime', 'scipy'} & sys.modules.keys())"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output == "set()\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("up", "--detector", "nosuch"),
            "perception: There is no detector called 'nosuch'; choose one of yolov3",
        ),
        (
            ("up", "-s", "high_level_agent.policy=nosuch"),
            "high_level_agent: unknown exposure policy 'nosuch'",
        ),
        (
            ("up", "--focus-policy", "/nowhere.npz"),
            "low_level_agent: there is no policy /nowhere.npz: train one",
        ),
        (("demo", "-s", "perception.detector_weights=/no.onnx"), "There is no model file /no.onnx. Run"),
    ],
)
def test_no_process_is_started_for_it(
    arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
    from dasha_ros.bringup import child_process

    started = []

    def start(child: child_process.ChildProcess) -> None:
        started.append(child.program.name)
        raise OSError("a process was started")

    monkeypatch.setattr(child_process.ChildProcess, "start", start)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    result = CliRunner().invoke(app, list(arguments))
    assert not started
    assert result.exit_code == 2, result.output
    assert f"error: {sentence}" in result.stderr or f": {sentence}" in result.stderr
    assert not list(tmp_path.rglob("*lock*")), "the lock of a graph"
