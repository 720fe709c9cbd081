"""Learning curves: trained for a few updates on a cache in closed form, killed, and gone on with."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from synthetic_cache import synthetic_cache

from dasha_ros.benchmark.paper.part import Context
from dasha_ros.benchmark.paper.parts import curves
from dasha_ros.benchmark.paper.parts.curves import figure, measure
from dasha_ros.benchmark.paper.run import run_part
from dasha_ros.learning.training import agents as train_agents


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3")
    for name in ("score_focus", "score_exposure"):
        monkeypatch.setattr(train_agents, name, partial(getattr(train_agents, name), episodes=20))
    monkeypatch.setattr(measure, "QUICK_AGENT_STEPS", 256)
    monkeypatch.setattr(measure, "QUICK_RIVAL_STEPS", 2_200)
    monkeypatch.setattr(measure, "QUICK_EPISODES", 4)
    monkeypatch.setattr(measure, "SEEDS", 2)


class KilledError(Exception):
    """Stands for the end of the process."""


def test_a_killed_training_goes_on_and_every_method_has_its_curve(short: None, tmp_path: Path) -> None:
    synthetic_cache(tmp_path / "cache", planes=10)
    out = tmp_path / "out"
    out.mkdir()
    told: list[tuple[int, int]] = []

    def kill(done: int, total: int, what: str) -> None:
        told.append((done, total))
        if "seed 1" in what:
            raise KilledError

    context = Context(out, quick=True, cache=tmp_path / "cache", progress=kill)
    with pytest.raises(KilledError):
        curves.compute(context)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    first = (out / "curves.jsonl").read_text()
    assert len(first.splitlines()) == len(measure.METHODS) - 1, "all of the first seed; plus is not in quick"
    notes: list[str] = []
    again = replace(context, progress=lambda *_: None, note=notes.append)
    assert run_part(curves.PART, again, {"command": "dasha"})
    assert notes[0].startswith("4 of 8 episodes came from")
    assert (out / "curves.jsonl").read_text().startswith(first)
    lines = list(csv.DictReader((out / "curves.csv").open()))
    found = {(line["method"], line["measure"]) for line in lines}
    assert {(method, "within_2px") for method in ("dasha", "single", "phase", "ten")} <= found
    assert {("dasha", "well_exposed"), ("dasha", "loss"), ("ten", "loss")} <= found
    assert ("single", "well_exposed") not in found
    for line in lines:
        assert math.isfinite(float(line["mean"]))
        assert float(line["least"]) <= float(line["mean"]) + 1e-9
        assert line["seeds"] == "2"


def test_a_full_run_learns_as_long_as_each_preset_says_and_steps_shorten_all(tmp_path: Path) -> None:
    by_name = {method.name: method for method in measure.METHODS}
    full, short = Context(tmp_path), Context(tmp_path, steps=500)
    assert measure._asked(by_name["plus"], full) is None
    assert measure._total(by_name["plus"], None) == 50_000 + 150_000
    assert measure._total(by_name["single"], None) == 20_000
    assert {name: measure._total(m, measure._asked(m, short)) for name, m in by_name.items()} == {
        "dasha": 1_000, "single": 500, "phase": 500, "ten": 500, "plus": 1_000,
    }  # fmt: skip


def test_a_loss_is_drawn_as_means_of_neighbours_evenly_along_the_axis() -> None:
    points = [[float(step), 1.0 if step % 2 else 0.0, 0.0, 1.0] for step in range(0, 10_001)]
    drawn = figure._binned(points)
    assert len(drawn) <= 4 * figure.BINS_A_DECADE + 1
    assert [row[0] for row in drawn] == sorted(row[0] for row in drawn)
    assert all(abs(row[1] - 0.5) < 0.02 for row in drawn if 1_000 < row[0] < 9_000), "ups and downs even out"
    assert all(row[2:] == [0.0, 1.0] for row in drawn)


def test_curves_are_means_over_seeds_and_converge_where_they_come_near_their_best() -> None:
    def run(seed: int, shares: list[float]) -> dict:
        focus = [
            {"steps": 100.0 * i, "within_2px": share, "reward": share - 1.0} for i, share in enumerate(shares)
        ]
        return {
            "method": "ten",
            "seed": seed,
            "focus": focus,
            "exposure": [],
            "losses": [[100.0, 4.0 + seed]],
        }

    line = curves._summed("ten", [run(0, [0.0, 0.4, 0.8, 0.8]), run(1, [0.2, 0.6, 1.0, 0.9])])
    assert line["focus"]["within_2px"][1] == [100.0, 0.5, 0.4, 0.6]
    assert line["best"] == 0.9
    assert line["converged"] == 200.0
    assert line["loss"] == [[100.0, 1.0, 1.0, 1.0]]
    exposure = {"well_exposed": [[0.0, 0.5, 0.4, 0.6], [720.0, 0.9, 0.8, 1.0]]}
    methods = [
        {**line, "method": name, "converged": n, "exposure": exposure, "trained": 1440.0}
        for name, n in (("dasha", 720), ("phase", 1000), ("ten", None))
    ]
    claim, hours = curves.PART.claims({"is_short": False, "methods": methods})
    assert claim.holds is True
    assert hours.holds is None
    assert "are 3 hours on a rig, and A^L had converged after 2 of them" in hours.found
    methods[0]["converged"] = None
    claim, hours = curves.PART.claims({"is_short": False, "methods": methods})
    assert claim.holds is False
    assert "had not converged" in hours.found
    assert curves.PART.claims({"is_short": True, "methods": methods}) == []
