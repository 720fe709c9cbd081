"""``dasha benchmark rig``: what it compares, and that every number is there. No time is asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from typer.testing import CliRunner

from dasha_ros.agents.outcome import ErrorCode
from dasha_ros.benchmark.episodes import Episode, Goal
from dasha_ros.cli import app
from dasha_ros.cli.benchmark_rig import compare


def episode(seconds: float, frames: int, code: ErrorCode = ErrorCode.NONE, seed: int = 0) -> Episode:
    return Episode(
        policy="p",
        goal=Goal("street", "bus"),
        seed=seed,
        code=code,
        detected=True,
        blur_px=0.1,
        moves_first=1,
        moves_settled=2,
        frames=frames,
        reversals=0,
        seconds=seconds,
    )


def test_steps_are_compared_and_lost_goals_are_named() -> None:
    twin = [episode(2.0, 10), episode(6.0, 20, seed=1), episode(4.0, 10, ErrorCode.OBJECT_NOT_FOUND, 2)]
    emulated = [episode(2.2, 10), episode(7.2, 20, ErrorCode.LENS_LOST, 1), episode(4.0, 10, seed=2)]
    assert compare(twin, emulated) == {
        "step_ms_twin": 300.0,
        "step_ms_emulated": 360.0,
        "ratio": 1.2,
        "found_twin": 2,
        "found_emulated": 2,
        "only_twin": ["street: bus, seed 1"],
        "episodes": 3,
    }


@pytest.mark.graph
@pytest.mark.slow
def test_every_number_is_measured(ros_env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "rig.json"
    done = CliRunner().invoke(
        app,
        ["benchmark", "rig", "--seeds", "0", "--count", "10", "--preview-seconds", "2", "--json", str(path)],
    )
    assert done.exit_code == 0, done.output
    numbers = json.loads(path.read_text())
    assert (numbers["width"], numbers["height"]) == (2048, 1088)
    assert numbers["pictures"]["missed"] <= 2
    assert 0 < numbers["pictures"]["published_ms_p50"] <= numbers["pictures"]["received_ms_p50"]
    assert numbers["preview"]["fps"] > 1
    assert numbers["preview"]["age_ms_p50"] > numbers["preview"]["exposure_ms"]
    assert {"camera_driver", "subscriber"} <= numbers["preview"]["cpu_percent"].keys()
    for lens in (numbers["lens"], numbers["lens_driver_alone"]):
        assert 0 < lens["published_ms_p50"] < lens["received_ms_p50"]
    assert "preview fps" in done.stdout
