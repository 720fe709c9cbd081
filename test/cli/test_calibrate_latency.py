"""``dasha calibrate latency`` as people call it, on machines without a webcam and on wrong places."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.devices.v4l2 import discovery

RUNNER = CliRunner()


def test_where_there_is_no_such_webcam_one_sentence_says_so() -> None:
    answer = RUNNER.invoke(app, ["calibrate", "latency", "nobody's webcam"])
    assert answer.exit_code == 3
    assert 'no webcam "nobody\'s webcam" is there' in " ".join(answer.output.split())


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(discovery, "list_webcams", lambda: 1 / 0)
    answer = RUNNER.invoke(app, ["calibrate", "latency", "-o", str(tmp_path / "none" / "lag.yaml")])
    assert answer.exit_code == 2


def test_a_driver_that_is_unknown_or_beside_a_webcam_is_refused() -> None:
    answer = RUNNER.invoke(app, ["calibrate", "latency", "--driver", "v4l3"])
    assert answer.exit_code == 2
    assert "driver 'v4l3' is not in the table, which has camera_ros" in " ".join(answer.output.split())
    answer = RUNNER.invoke(app, ["calibrate", "latency", "Brio", "--driver", "camera_ros"])
    assert answer.exit_code == 2
    assert "name a webcam or a driver, not both" in answer.output


def test_a_driver_that_does_not_run_is_told(ros_env: dict[str, str]) -> None:
    answer = RUNNER.invoke(app, ["calibrate", "latency", "--driver", "camera_ros"])
    assert answer.exit_code == 3
    assert "no node /camera is there: start the driver" in " ".join(answer.output.split())
