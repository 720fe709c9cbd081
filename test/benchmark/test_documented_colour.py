"""The section on reading the side from colour says what the committed runs found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


@pytest.fixture(scope="module")
def section() -> str:
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    return page.partition("### Reading the side from colour\n")[2].partition("\n## ")[0]


def rows_of(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("policy", ["plus", "plus_colour"])
@pytest.mark.parametrize(("setting", "name"), [("planes_wide", "planes"), ("two_depths", "two depths")])
def test_the_table_is_the_runs(section: str, policy: str, setting: str, name: str) -> None:
    runs = [
        row for row in rows_of(f"{policy}_focus-test") if (row["setting"], row["policy"]) == (setting, policy)
    ]
    assert sorted((row["split"], row["policy_seed"]) for row in runs) == [
        (split, seed) for split in range(3) for seed in range(3)
    ]
    assert 918 <= sum(row["episodes"] for row in runs) <= 972

    def mean(key: str) -> float:
        return float(sum(row[key] for row in runs) / len(runs))

    line = (
        f"| {name}: `{policy}` | {100 * mean('within_2px'):.1f} / {100 * mean('within_1px'):.1f} % "
        f"| {mean('moves_first'):.2f} | {mean('moves_settled'):.2f} | {100 * mean('hunting'):.0f} % |"
    )
    assert line in section, line


@pytest.mark.parametrize("policy", ["plus", "plus_colour"])
@pytest.mark.parametrize("objects", ["all", "near"])
def test_the_table_of_real_stacks_is_the_run(section: str, policy: str, objects: str) -> None:
    (row,) = (r for r in rows_of("stacks-colour") if (r["policy"], r["objects"]) == (policy, objects))
    line = (
        f"| {objects} objects: `{policy}` | {100 * row['within_2px']:.1f} / {100 * row['within_1px']:.1f} % "
        f"| {100 * row['false_found']:.1f} % | {row['moves_settled']:.2f} | {100 * row['hunting']:.0f} % |"
    )
    assert line in section, line


def test_the_shares_of_single_pictures_are_those_of_the_study(section: str) -> None:
    told = {round(row["blur_px"], 1): row for row in rows_of("colour-sign-twin")}
    said = re.findall(r"(\d+) % at ([0-9.]+) px", section)
    assert len(said) == 5
    for per_cent, blur in said:
        assert round(100 * told[float(blur)]["one_picture"]) == int(per_cent), blur
    assert all(abs(row["one_picture"] - 0.5) < 0.02 for blur, row in told.items() if blur > 7.0)
    assert {row["views"] for row in told.values()} == {54}
