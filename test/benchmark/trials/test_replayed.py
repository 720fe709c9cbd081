"""What counts as the same end of a recorded and of a replayed goal, and that the committed goals had it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.trials.replayed import SAME_PX, End, Replayed, row, summary
from dasha_ros.cli import app
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.outcome import ErrorCode

ROOT = Path(__file__).resolve().parents[3]
GOAL = Goal("cup_street", "cup")
LENS = lens_model()
FOUND = End(ErrorCode.NONE, "cup", 44.0, 20_000.0, 4)


def pair(replayed: End, recorded: End = FOUND) -> Replayed:
    return Replayed.of(GOAL, 3, recorded, replayed, LENS)


@given(st.floats(LENS.position_min, LENS.position_max))
def test_the_same_focus_is_one_within_a_pixel_of_blur(position: float) -> None:
    compared = pair(replace(FOUND, lens_position=position))
    # 0.225 dioptres are 2 px: the lens has the same blur for each dioptre.
    apart = abs(LENS.dioptres(position) - LENS.dioptres(44.0)) * 2.0 / 0.225
    assert compared.apart_px == pytest.approx(apart, rel=0.01, abs=1e-9)
    assert compared.is_same == (compared.apart_px <= SAME_PX)


@pytest.mark.parametrize(
    "other", [replace(FOUND, code=ErrorCode.OBJECT_NOT_FOUND), replace(FOUND, label="dog")]
)
def test_another_code_or_object_is_another_end(other: End) -> None:
    assert pair(FOUND).is_same
    assert not pair(other).is_same
    assert summary([pair(FOUND), pair(other)]) == (
        "1 of 2 replayed goals ended as the recorded ones, of which 2 had found their object"
    )


def test_a_row_says_both_ends() -> None:
    found = row(pair(replace(FOUND, exposure_us=10_000.0)))
    assert (found["scene"], found["label"], found["seed"], found["same"]) == ("cup_street", "cup", 3, True)
    assert (found["recorded_code"], found["recorded_exposure_us"]) == ("NONE", 20_000.0)
    assert (found["replayed_code"], found["replayed_exposure_us"]) == ("NONE", 10_000.0)


def test_the_committed_goals_ended_as_the_page_says() -> None:
    rows = json.loads((ROOT / "docs/results/replay.json").read_text(encoding="utf-8"))
    assert len(rows) == len({(r["scene"], r["label"], r["seed"]) for r in rows}) == 20
    same = sum(r["same"] for r in rows)
    assert same == 20
    assert all(r["apart_px"] <= SAME_PX and r["recorded_code"] == r["replayed_code"] for r in rows)
    page = (ROOT / "docs/how-to/record-and-replay.md").read_text(encoding="utf-8")
    told = re.search(r"(\d+) of (\d+) goals ended as they had been recorded", page)
    assert told is not None
    assert told.groups() == (str(same), str(len(rows)))


def test_an_unknown_scene_is_refused_before_anything_starts() -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
    done = CliRunner().invoke(app, ["benchmark", "replay", "--scene", "nowhere"])
    assert done.exit_code == 2
    assert "nowhere" in done.output
