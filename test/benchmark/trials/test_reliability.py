"""Claims of a belief against the truth: by hand, a calibrated and a boastful claimant, and a real policy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from stack_maker import twin_stack

from dasha_ros.benchmark.methods import perception_for
from dasha_ros.benchmark.trials import reliability as command
from dasha_ros.benchmark.trials.claims import BELIEF, OWN, Claim, reliability, with_claims
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.stacks import play_stacks, stack_methods
from dasha_ros.learning.evaluation.stacks import stacks_in

FRAMES = 7


def claim(
    stated: float, is_true: bool, cluster: str = "a", *, last: bool = False, who: str = BELIEF
) -> Claim:
    return Claim(who, stated, is_true, cluster, last)


def test_bins_and_error_by_hand():
    claims = [
        claim(0.72, True), claim(0.78, True, "b"), claim(0.75, False, "b", last=True),
        claim(1.0, True, "c", last=True), claim(0.05, False), claim(0.05, True, who=OWN),
    ]  # fmt: skip
    rows = [row for row in reliability(claims, setting="s") if row["who"] == BELIEF and not row["last"]]
    assert [(row["low_end"], row["pictures"], row["stated"], row["frequency"]) for row in rows] == [
        (0.0, 1, 0.05, 0.0),
        (0.7, 3, 0.75, pytest.approx(0.6667, abs=1e-4)),
        (0.9, 1, 1.0, 1.0),
    ]
    assert [row["error"] for row in rows] == 3 * [pytest.approx((0.05 + 3 * 0.0833) / 5, abs=1e-3)]
    assert {row["setting"] for row in rows} == {"s"}
    last = [row for row in reliability(claims) if row["who"] == BELIEF and row["last"]]
    assert sum(row["pictures"] for row in last) == 2


@pytest.mark.parametrize(("boast", "least", "most"), [(0.0, 0.0, 0.02), (0.2, 0.15, 0.25)])
def test_the_error_of_a_claimant_is_how_much_it_boasts(boast, least, most):
    random = np.random.default_rng(0)
    chances = random.uniform(0.0, 0.8, 20_000)
    claims = [claim(p + boast, random.random() < p, str(number % 50)) for number, p in enumerate(chances)]
    assert all(least <= row["error"] <= most for row in reliability(claims) if not row["last"])


def test_a_policy_plays_as_before_and_its_claims_are_about_what_it_saw(tmp_path):
    twin_stack(tmp_path / "near", FRAMES)
    stacks, perception = stacks_in(tmp_path)[0], perception_for(["plus"], "focus")
    claims: list[Claim] = []
    methods = stack_methods(["plus"])
    plain = play_stacks(stacks, methods, perception, Journal())
    asked = play_stacks(stacks, [with_claims(m, claims.append) for m in methods], perception, Journal())
    for row in (*plain, *asked):
        row.pop("decide_ms", None)
    assert asked == plain
    beliefs = [c for c in claims if c.who == BELIEF]
    assert len(beliefs) == sum(row["frames"] for row in plain)
    assert all(0.0 <= c.stated <= 1.0 for c in claims)
    ends = [c for c in beliefs if c.is_last]
    assert [c.is_true for c in ends] == [row["blur_px"] <= 1.0 for row in plain]


def test_rows_and_figure_are_written(tmp_path, monkeypatch, capsys):
    rows = reliability([claim(0.9, True), claim(0.4, False)], policy="plus", setting="planes_wide")
    monkeypatch.setattr(command, "on_stacks", lambda policy, folder: rows)
    rows_file, figure = tmp_path / "rows.json", tmp_path / "figures" / "plot.svg"
    command.main(["--stacks", str(tmp_path), "--json", str(rows_file), "--figure", str(figure)])
    assert json.loads(rows_file.read_text()) == rows
    assert figure.read_text().startswith("<?xml")
    assert "planes_wide" in capsys.readouterr().out


def test_what_can_not_be_used_is_refused_with_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main([])
    assert "give --cache" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="holds no focal stack"):
        command.main(["--stacks", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no percept cache"):
        command.main(["--cache", str(tmp_path / "nothing")])
