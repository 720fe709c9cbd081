"""``dasha calibrate lens --blind`` as people call it, and the devices of a rig in one process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ros_harness import Spawner
from typer.testing import CliRunner
from webcam_in_memory import told

from dasha_ros.cli import app
from dasha_ros.cli.devices.rig_devices import rig_devices
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.optics.profiles import lens_model

RUNNER = CliRunner()
SCRIPTED_NODE = Path(__file__).resolve().parents[1] / "nodes" / "programs" / "scripted_camera_node.py"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--blind", "--distances", "1,2"), "--distances does not apply to --blind"),
        (("--blind", "--repeats", "2"), "--repeats does not apply to --blind"),
        (("--near-end", "least"), "--near-end does not apply to a calibration without --blind"),
        (("--rig", "emulated", "--port", "x"), "--port does not apply to --rig emulated"),
        (("--blind", "--rig", "toy"), "unknown rig 'toy'"),
        (("--blind", "--rig", "emulated-optotune"), "its devices belong to a graph"),
        (("--blind", "--rig", "twin", "--set", "lens_driver.toast=1"), "has no parameter 'toast'"),
        (("--blind", "--rig", "ros-driver"), "no driver is named: set `driver` to camera_ros"),
        (("--blind", "--near-end", "up"), "it is greatest or least"),
        (("--blind", "--rig", "twin", "--low", "3"), "give a range inside 24 to 70 V"),
        (("--set", "lens_driver.port=x"), "--set does not apply to a calibration without --blind"),
    ],
)
def test_impossible_arguments_are_refused_with_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = RUNNER.invoke(app, ["calibrate", "lens", *arguments, "-o", str(tmp_path / "lens.yaml")])
    assert done.exit_code == 2
    assert sentence in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_the_devices_of_a_rig_see_each_other(tmp_path: Path) -> None:
    scene = write_chart(tmp_path)
    size = ("camera_driver.width=320", "camera_driver.height=170")
    with rig_devices("twin", overrides=(f"twin_world.scene={scene}", *size)) as devices:
        lens, sharp = devices.lens, lens_model("physical").position(1.0)
        assert (devices.limits.width, devices.limits.height) == (320, 170)
        contrast = []
        for position in (sharp, 60.0):
            reading = lens.move(position)
            devices.clock.wait_until(devices.clock.now_ns() + round(reading.settle_s * 1e9))
            frame = devices.camera.capture()
            assert frame is not None
            contrast.append(float(frame.pixels.std() / frame.pixels.mean()))
        assert contrast[0] > 1.5 * contrast[1]


def test_the_devices_of_a_rig_may_be_behind_another_packages_node(spawn: Spawner) -> None:
    child = spawn(sys.executable, str(SCRIPTED_NODE), json.dumps({"lag": 1, "focus_lag": 1}))
    child.wait_for_output("the scripted camera runs")
    with rig_devices("ros-driver", overrides=("camera_driver.driver=camera_ros",)) as devices:
        lens = devices.lens
        assert (lens.info.unit, lens.info.position_max) == ("D", 10.0)
        devices.camera.set_exposure(4_000.0)
        reading = lens.move(3.0)
        frame = devices.camera.capture(devices.clock.now_ns() + round(reading.settle_s * 1e9))
        assert frame is not None
        assert told(frame.pixels) == (40, pytest.approx(3.0, abs=0.02))
