"""``dasha calibrate lens --blind`` as people call it, and the devices of a rig in one process."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.cli.devices.rig_devices import rig_devices
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.optics.profiles import lens_model

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--blind", "--distances", "1,2"), "--blind needs neither --distances nor --repeats"),
        (("--blind", "--rig", "toy"), "unknown rig 'toy'"),
        (("--blind", "--rig", "emulated-optotune"), "its devices belong to a graph"),
        (("--blind", "--rig", "twin", "--set", "lens_driver.toast=1"), "has no parameter 'toast'"),
        (("--blind", "--rig", "ros-driver"), "is another ROS node"),
        (("--blind", "--near-end", "up"), "it is greatest or least"),
        (("--blind", "--rig", "twin", "--low", "3"), "give a range inside 24 to 70 V"),
        (("--set", "lens_driver.port=x"), "--params-file and --set are for --blind"),
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


@pytest.mark.slow
def test_the_emulated_rig_is_calibrated_without_distances(tmp_path: Path) -> None:
    profile = tmp_path / "lens.yaml"
    command = f"calibrate lens --blind --rig emulated -o {profile} --low 36 --high 52"
    done = RUNNER.invoke(app, command.split())
    assert done.exit_code == 0, done.output
    model, truth = lens_model(profile), lens_model("physical")
    measured = model.blur_px(model.dioptres(46.0), model.dioptres(40.0))
    assert measured == pytest.approx(truth.blur_px(truth.dioptres(46.0), truth.dioptres(40.0)), rel=0.05)
    assert cv2.imread(str(tmp_path / "lens.png")).shape[2] == 3
    assert str(profile) in "".join(done.output.split())
