"""Goals of the real graph with the policies that ship: what the page tells, and what was promised."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALL, *GOALS = json.loads((ROOT / "docs/results/joint-over-ros.json").read_text(encoding="utf-8"))


def test_from_the_dark_and_out_of_focus_objects_are_found_sharp() -> None:
    """The aim was 97 % within 2 px, from any exposure, any lens position, and 13 to 300 lx."""
    assert (ALL["policy"], ALL["goal"], ALL["scenes"]) == ("plus", "all", 6)
    assert ALL["episodes"] == sum(row["episodes"] for row in GOALS) == 80
    assert ALL["within_2px"] >= 0.97


def test_the_page_names_each_goal_that_is_not_always_reached() -> None:
    text = " ".join((ROOT / "docs/benchmark.md").read_text(encoding="utf-8").split())
    weak = [row for row in GOALS if row["within_2px"] < 1.0]
    for row in weak:
        missed = ("no", "one", "two", "three")[round((1.0 - row["within_2px"]) * row["episodes"])]
        assert f"In the goal `{row['goal']}`, {missed} of ten end more than 2 px off" in text
    assert ("in all others, every one ends within 2 px" in text) == bool(weak)


def test_the_page_tells_these_numbers() -> None:
    moves = f"{ALL['moves_first']:.1f} / {ALL['moves_settled']:.1f}"
    found, hunting = f"{100.0 * ALL['within_2px']:.1f} %", f"{100.0 * ALL['hunting']:.0f} %"
    ends = f"{ALL['frames']:.1f} | {hunting} | {ALL['seconds']:.1f} | {ALL['median_blur_px']:.2f} px"
    row = f"| `plus` | {ALL['episodes']} | {found} | {moves} | {ends} |"
    assert row in (ROOT / "docs/benchmark.md").read_text(encoding="utf-8")
