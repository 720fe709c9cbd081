"""The section on the sign of defocus in colour says what the committed run found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dasha_ros.benchmark.trials.colour_sign.study import tables

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
MORE = 0.5


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    found: list[dict] = json.loads((RESULTS / "colour-sign.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def section() -> str:
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    return page.partition("### The sign of defocus in colour\n")[2].partition("\n## ")[0]


def per_cent(row: dict, key: str) -> str:
    middle, low, high = (f"{100.0 * row[key + end]:.0f}" for end in ("", "_low", "_high"))
    return f"{middle} % [{low}, {high}]"


def test_the_tables_beside_the_rows_are_made_of_them(rows: list[dict]) -> None:
    assert (RESULTS / "colour-sign.md").read_text(encoding="utf-8").startswith(tables(rows))


def test_the_table_in_the_section_is_the_run(rows: list[dict], section: str) -> None:
    expected = [
        f"| {row['blur_px']:g} px, {row['stacks']} | "
        + " | ".join(per_cent(row, key) for key in ("two_pictures", "one_picture", "grey_alone"))
        + " |"
        for row in rows
        if row["stack"] is None and row["blur_px"] <= 4.0
    ]
    assert [line for line in section.splitlines() if " px, " in line and line.startswith("|")] == expected


def test_the_sentences_in_the_section_are_true_of_the_run(rows: list[dict], section: str) -> None:
    text = " ".join(section.split())
    at_2 = {row["stack"]: row for row in rows if row["blur_px"] == 2.0}
    pooled = at_2.pop(None)
    assert (pooled["stacks"], pooled["stacks_redder_near"]) == (10, 8)
    redder = {name: row["redder_near"] for name, row in at_2.items()}
    sweep = [share for name, share in redder.items() if share > MORE]
    assert f"{100 * min(sweep):.0f} to {100 * max(sweep):.0f} % of their patches say so" in text
    assert f"in {100 * (1 - redder['cave_smallWorld']):.0f} % of its patches at 2 px" in text
    phone = at_2["phone_cocoa1"]
    assert f"{100 * phone['redder_near']:.0f} % of {phone['patches']} patches" in text
    fine = [name for name, row in at_2.items() if row["chroma"] == "4:4:4"]
    assert fine == ["cave_math", "cave_stairs11"]
    assert {f"{100 * redder[name]:.0f}" for name in fine} == {"95"}
    changes = {name: abs(row["ratio_change"]) for name, row in at_2.items()}
    others = [change for name, change in changes.items() if name not in fine]
    assert "by {:.2f} and {:.2f} there".format(*(changes[name] for name in fine)) in text
    assert f"by {min(others):.2f} to {max(others):.2f} in the others" in text
    at_3 = {row["stack"]: row["one_picture"] for row in rows if row["blur_px"] == 3.0}
    assert f"`cave_stairs11`, it is {100 * at_3['cave_stairs11']:.0f} % at 3 px" in text
    assert f"`cave_math`, {100 * at_3['cave_math']:.0f} %" in text
    whole = [row for row in rows if row["stack"] is None and row["blur_px"] <= 4.0]
    for key, words in (
        ("one_picture", "as it is read here**: {} to {} %"),
        ("grey_alone", "{} to {} % from green alone"),
        ("all_patches", "({} to {} %)"),
    ):
        values = [row[key] for row in whole]
        assert words.format(f"{100 * min(values):.0f}", f"{100 * max(values):.0f}") in text
