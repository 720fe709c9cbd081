"""``dasha benchmark paper`` as a user runs it, on a grid of one cell."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.paper.parts import recall
from dasha_ros.benchmark.paper.parts.recall.measure import Grid
from dasha_ros.cli import app
from dasha_ros.policies.learned.policy_file import shipped_policy

RUN = CliRunner()
ONLY = ["benchmark", "paper", "--part", "recall"]


@pytest.fixture
def one_cell(monkeypatch: pytest.MonkeyPatch, fetched) -> None:
    fetched("photos/chelsea.png")
    fetched("models/yolov3-tiny.onnx")
    grid = Grid((300.0,), (0.0,), (Goal("cat", "cat"),))
    monkeypatch.setattr(recall, "grid_of", lambda context: grid)


def test_a_report_is_written_and_a_second_run_plays_nothing(one_cell: None, tmp_path: Path) -> None:
    command = [*ONLY, "--out", str(tmp_path / "new"), "--detector", "yolov3_tiny"]
    first = RUN.invoke(app, command)
    assert first.exit_code == 0, first.output
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"recall.jsonl", "recall.json", "recall.csv", "recall.svg", "recall.png", "report.html"}
    made = json.loads((tmp_path / "new" / "recall.json").read_text())["made"]
    options = "--out DIR --part recall --detector yolov3_tiny --seed 0"
    assert made["command"] == f"dasha benchmark paper {options}"
    shipped = hashlib.sha256(shipped_policy("plus", "focus").read_bytes()).hexdigest()[:8]
    assert f"plus_focus {shipped}" in made["policies"]
    again = RUN.invoke(app, command)
    assert again.exit_code == 0
    later = json.loads((tmp_path / "new" / "recall.json").read_text())["made"]
    assert later["time"].endswith(" s, after an earlier run")
    assert "1 of 1 episodes came from" in again.output


def test_missing_figures_are_all_named_and_the_page_is_written_without_them(tmp_path: Path) -> None:
    """The committed results are without the figures that hold pictures."""
    results = Path(__file__).resolve().parents[2] / "docs" / "results" / "paper"
    for path in results.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "recall.svg").unlink()
    command = ["benchmark", "paper", "--part", "honesty", "--out", str(tmp_path)]
    done = RUN.invoke(app, command, env={"COLUMNS": "500"})
    assert done.exit_code == 2, done.output
    for part, figure in {
        "recall": "recall",
        "strip": "strip",
        "several": "several_four_objects",
        "scenes": "scenes",
    }.items():
        again = f"write it again with `dasha benchmark paper --out DIR --part {part}`"
        assert f"the figure {tmp_path / figure}.svg: there is no such file: {again}" in done.output
    assert f"{tmp_path / 'report.html'} has all the rest" in done.output
    assert "What the twin does not model" in (tmp_path / "report.html").read_text()


def test_an_unknown_detector_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = RUN.invoke(app, [*ONLY, "--out", str(tmp_path), "--detector", "yolov9"])
    assert done.exit_code == 2
    assert "nanodet" in done.output


def test_missing_detectors_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path / "none"))
    done = RUN.invoke(app, [*ONLY, "--out", str(tmp_path / "out"), "--quick"])
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert "no detector could be loaded" in said
    assert "no part could be computed" in said


def test_an_unknown_part_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["benchmark", "paper", "--part", "figure_99", "--out", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert "recall" in done.output
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = RUN.invoke(app, [*ONLY, "--out", str(tmp_path / "file" / "out")])
    assert done.exit_code == 2
    assert "can't be made" in done.output
