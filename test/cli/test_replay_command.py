"""``dasha replay``: says what a recording holds, and gives its graph the policies that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recording_maker import Shot, write_recording
from typer.testing import CliRunner

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.cli import app
from dasha_ros.cli.recording import replay as module


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shots = (Shot(30.0, 10_000.0, 10), Shot(40.0, 10_000.0, 20))
    return write_recording(tmp_path / "goal.mcap", shots)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The graphs that would have been started."""
    graphs: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "up", lambda **options: graphs.append(options))
    return graphs


def test_the_same_pictures_can_be_given_to_another_policy(path: Path, started: list[dict[str, Any]]) -> None:
    chosen = [
        "--focus-policy",
        "coarse_to_fine",
        "--exposure-policy",
        "histogram",
        "--set",
        "perception.min_score=0.3",
    ]
    done = CliRunner().invoke(app, ["replay", str(path), *chosen])
    assert done.exit_code == 0, done.output
    (graph,) = started
    assert graph["rig"] == "replay"
    assert (graph["focus_policy"], graph["exposure_policy"]) == ("coarse_to_fine", "histogram")
    assert graph["override"] == ["perception.min_score=0.3", f"camera_driver.recording={path}"]


def test_what_is_in_it_is_said_without_starting_anything(path: Path, started: list[dict[str, Any]]) -> None:
    done = CliRunner().invoke(app, ["replay", str(path), "--show"])
    assert done.exit_code == 0
    assert "2 pictures at 2 position(s) from 30.00 to 40.00 V" in done.output
    assert started == []


def test_what_is_missing_or_damaged_is_a_warning(
    path: Path, tmp_path: Path, started: list[dict[str, Any]]
) -> None:
    folder = tmp_path / "kit"
    folder.mkdir()
    for number in (0, 1, 3):
        (folder / f"kit_{number}.mcap").write_bytes(path.read_bytes() if number != 1 else b"")
    for options in (["--show"], []):
        done = CliRunner().invoke(app, ["replay", str(folder), *options])
        said = " ".join(done.output.split())
        assert done.exit_code == 0
        assert f"warning: 1 of the 4 files of {folder} is missing (kit_2.mcap)" in said
        assert f"warning: {folder}/kit_1.mcap is empty" in said
        assert f"`dasha record --recover {folder}`" in said
        assert said.count("kit_1.mcap") == 1
    assert len(started) == 1
