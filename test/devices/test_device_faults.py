"""The program that plays random faults, its committed run, and drivers that break a promise."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from device_faults import __main__ as program
from device_faults import ros_driver, webcam

from dasha_ros.devices.v4l2.automatics import TakenControls
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, play_sequences
from dasha_ros.ros.driver.answers import Answers

RESULTS = Path(__file__).parents[2] / "docs/results/device-faults.jsonl"


def test_each_run_adds_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.jsonl"
    for first in ("0", "1"):
        arguments = ["--back-end", "webcam", "--sequences", "1", "--first", first, "--rows", str(rows)]
        monkeypatch.setattr("sys.argv", ["device_faults", *arguments])
        assert program.main() == 0
    first, second = (json.loads(line) for line in rows.read_text().splitlines())
    assert (first["first"], second["first"]) == (0, 1)
    assert first["recoveries"] == second["recoveries"] == 1
    assert first["calls"] != second["calls"]


def test_the_committed_run_has_every_back_end_500_times() -> None:
    played: Counter[str] = Counter()
    numbers: set[tuple[str, int]] = set()
    for line in RESULTS.read_text().splitlines():
        row = json.loads(line)
        assert row["recoveries"] == row["sequences"]
        numbers |= {(row["back_end"], row["first"] + n) for n in range(row["sequences"])}
        played[row["back_end"]] += row["sequences"]
    assert played == dict.fromkeys(program.PLAYERS, 500)
    assert len(numbers) == sum(played.values())


def test_a_webcam_that_is_not_given_back_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TakenControls, "give_back", lambda self, port, controls: [])
    with pytest.raises(PromiseBroken, match=r"webcam, --seed 1 --first \d+: .*auto_exposure"):
        play_sequences("webcam", webcam.play, 20, 1)


def test_a_driver_whose_first_picture_is_taken_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "admit", lambda self, picture, counted: True)
    with pytest.raises(PromiseBroken, match=r"ros_driver, --seed 1 --first \d+: "):
        play_sequences("ros_driver", ros_driver.play, 20, 1)
