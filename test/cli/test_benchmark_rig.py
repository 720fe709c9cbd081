"""``dasha benchmark rig``: its comparison, and that every number is measured. No time is asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from typer.testing import CliRunner

from dasha_ros.benchmark.episodes import Episode, Goal
from dasha_ros.benchmark.rig_targets import markdown, targets
from dasha_ros.cli import app
from dasha_ros.cli.benchmark.measure.rig import compare
from dasha_ros.policies.outcome import ErrorCode


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
        "ratio": 1.1,
        "found_twin": 2,
        "found_emulated": 2,
        "only_twin": ["street: bus, seed 1"],
        "episodes": [
            {"goal": "street: bus, seed 0", "seconds": [2.0, 2.2], "pictures": [10, 10]},
            {"goal": "street: bus, seed 1", "seconds": [6.0, 7.2], "pictures": [20, 20]},
            {"goal": "street: bus, seed 2", "seconds": [4.0, 4.0], "pictures": [10, 10]},
        ],
    }


def measured(**changes: dict[str, object]) -> dict[str, object]:
    """Numbers that exactly reach all targets."""
    numbers: dict[str, dict[str, object]] = {
        "pictures": {"published_ms_p50": 12.0},
        "preview": {"fps": 49.0, "age_ms_p95": 60.0, "growth_ms": 5.0, "exposure_ms": 10.0, "seconds": 20.0},
        "lens": {"published_ms_p50": 3.0},
        "goals": {"ratio": 1.15, "found_twin": 8, "found_emulated": 8, "only_twin": []},
    }
    for part, values in changes.items():
        numbers[part] = {**numbers[part], **values}
    return numbers


def test_targets_are_judged() -> None:
    reached = targets(measured())
    assert len(reached) == 7
    assert all(target.met for target in reached)
    assert "| 8 " in markdown(reached)
    assert len(targets({k: v for k, v in measured().items() if k != "goals"})) == 5


@pytest.mark.parametrize(
    ("changes", "figure"),
    [
        ({"pictures": {"published_ms_p50": 12.1}}, "trigger"),
        ({"preview": {"fps": 48.9}}, "preview through the node"),
        ({"preview": {"age_ms_p95": 60.1}}, "age of its images"),
        ({"preview": {"growth_ms": 5.1}}, "growth"),
        ({"lens": {"published_ms_p50": 3.1}}, "lens command"),
        ({"goals": {"ratio": 1.151}}, "time of a step"),
        ({"goals": {"only_twin": ["street: bus, seed 1"]}}, "goals reached"),
    ],
)
def test_missed_targets_are_named(changes: dict[str, dict[str, object]], figure: str) -> None:
    [missed] = [target for target in targets(measured(**changes)) if not target.met]
    assert missed.figure.startswith(figure)
    assert markdown([missed]).splitlines()[-1].endswith("| no   |")


@pytest.mark.graph
@pytest.mark.slow
def test_every_number_is_measured(ros_env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "rig.json"
    done = CliRunner().invoke(
        app,
        ["benchmark", "rig", "--seeds", "0", "--count", "10", "--preview-seconds", "6", "--json", str(path)],
    )
    assert done.exit_code == 0, done.output
    numbers = json.loads(path.read_text())
    assert (numbers["width"], numbers["height"]) == (2048, 1088)
    assert numbers["pictures"]["missed"] < 10
    # A subscriber may have an image before the call that publishes it returns.
    for later in ("published_ms_p50", "received_ms_p50"):
        assert 0 < numbers["pictures"]["in_hand_ms_p50"] <= numbers["pictures"][later]
    assert numbers["preview"]["fps"] > 1
    assert numbers["preview"]["age_ms_p50"] > numbers["preview"]["exposure_ms"]
    assert {"camera_driver", "subscriber"} <= numbers["preview"]["cpu_percent"].keys()
    for lens in (numbers["lens"], numbers["lens_driver_alone"]):
        assert 0 < lens["published_ms_p50"] < lens["received_ms_p50"]
    assert "preview fps" in done.stdout
    assert len(numbers["targets"]) == 5
    assert "| lens command, beyond its time on the wire, p50 " in done.stdout
