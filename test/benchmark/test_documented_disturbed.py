"""The table of learning under disturbances says what the committed run found."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
KEYS = ("within_2px", "within_1px", "false_found", "moves_settled", "hunting")
NAMES = {
    "planes_wide": "planes",
    "two_depths": "two depths",
    "planes_disturbed": "disturbed planes",
    "two_depths_disturbed": "disturbed two depths",
}


def test_the_table_is_the_run() -> None:
    rows = json.loads((RESULTS / "disturbed.json").read_text(encoding="utf-8"))
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    section = page.partition("### Learning under disturbances\n")[2].partition("\n### ")[0]
    runs = defaultdict(list)
    for row in rows:
        runs[row["setting"], row["policy"]].append(row)
    for setting, name in NAMES.items():
        for policy in ("plus", "plus_disturbed"):
            three = runs[setting, policy]
            assert sorted(row["split"] for row in three) == [0, 1, 2]
            mean = {key: sum(row[key] for row in three) / 3 for key in KEYS}
            line = (
                f"| {name}: `{policy}` | {100 * mean['within_2px']:.1f} / {100 * mean['within_1px']:.1f} % "
                f"| {100 * mean['false_found']:.1f} % | {mean['moves_settled']:.2f} "
                f"| {100 * mean['hunting']:.0f} % |"
            )
            assert line in section, line
            assert 306 <= sum(row["episodes"] for row in three) <= 324
