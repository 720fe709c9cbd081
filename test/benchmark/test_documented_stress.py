"""The section on stresses of the benchmark page says what the committed run found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dasha_ros.benchmark.trials.stress import stress_table
from dasha_ros.twin.stress.stress import BASE, STRESSES

DOCS = Path(__file__).resolve().parents[2] / "docs"
POLICIES = ("plus", "planner")
AIM = 0.95
"""Within 2 px, under every stress."""

Held = dict[tuple[str, str], dict]


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    found: list[dict] = json.loads((DOCS / "results" / "stress.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def held(rows: list[dict]) -> Held:
    return {(row["stress"], row["policy"]): row for row in rows}


@pytest.fixture(scope="module")
def section() -> str:
    page = (DOCS / "benchmark.md").read_text(encoding="utf-8")
    return page.partition("## Under stress\n")[2].partition("\n## ")[0]


def test_the_run_is_whole_and_its_table_is_the_one_beside_it(rows: list[dict], held: Held) -> None:
    assert set(held) == {(stress, policy) for stress in STRESSES for policy in (*POLICIES, "oracle")}
    assert len({(row["episodes"], row["units"], row["clusters"]) for row in rows}) == 1, "the same starts"
    assert (DOCS / "results" / "stress.md").read_text(encoding="utf-8") == stress_table(rows)


def test_the_table_on_the_page_is_the_run(held: Held, section: str) -> None:
    expected = []
    for name, stress in STRESSES.items():
        cells = [f"`{name}`: {stress.words}"]
        for policy in POLICIES:
            row = held[name, policy]
            shares = (row[key] for key in ("within_2px", "false_found", "hunting"))
            cells += [", ".join(f"{100 * share:.1f} %" for share in shares), f"{row['moves_settled']:.2f}"]
        plus = held[name, "plus"]
        cells.append(f"{100 * plus['findable']:.1f} %, {100 * plus['within_2px_findable']:.1f} %")
        expected.append(f"| {' | '.join(cells)} |")
    assert [line for line in section.splitlines() if line.startswith("| `")] == expected


def test_the_sentences_on_the_page_are_true_of_the_run(held: Held, section: str) -> None:
    text = " ".join(section.split())
    base = held[BASE, "plus"]
    assert f"the same {base['episodes']} starts" in text
    assert f"{base['units']} planes of {base['clusters']} test photographs" in text
    assert f"One episode is {100 / base['episodes']:.1f} %" in text
    for policy, ends in (("plus", ";"), ("planner", ".")):
        listed = re.search(rf"for `{policy}`: ((?:`[\w.]+`(?:, )?)+){re.escape(ends)}", text)
        assert listed is not None, policy
        few = [name for name in STRESSES if held[name, policy]["within_2px"] < AIM]
        assert re.findall(r"`([\w.]+)`", listed[1]) == few
    found = [held[name, "plus"]["within_2px_findable"] for name in ("motion_10", "over_2", "under_2")]
    shares = [f"{100 * share:.1f}" for share in found]
    assert f"within 2 px for {shares[0]}, {shares[1]} and {shares[2]} % of those that it can find" in text
    away = [
        f"{100 * held[name, 'plus']['within_2px']:.1f}" for name in ("moving_5", "moving_20", "moving_15")
    ]
    assert f"now {away[0]} and {away[1]} %" in text
    assert f"it reaches {away[2]} %" in text
    assert f"hunting is {100 * held['scale_4_unknown', 'plus']['hunting']:.1f} %" in text
    for name, words in (("scale_4_known", "4 times as much"), ("scale_0.25_known", "a quarter as much")):
        assert f"{100 * held[name, 'plus']['within_2px']:.1f} % where" in text
        assert re.search(
            rf"{100 * held[name, 'plus']['within_2px']:.1f} % where (?:the lens|it) blurs {words}", text
        )
