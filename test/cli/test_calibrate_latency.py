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
