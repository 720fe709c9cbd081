"""Numbers in README and documentation are those of the committed results: one that differs fails here.

A number in the text counts as equal if it is the measured one, rounded as it is written.
"""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest
from documented import check

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
PLUS = "plus_focus-test"
"""Results of the policy that ships."""
LABELS = {
    "hill climbing": "hill_climb", "libcamera's contrast scan": "libcamera",
    "golden section search": "golden_section", "full contrast sweep": "contrast",
    "one constant position": "constant", "constant position": "constant",
}  # fmt: skip
"""Policies that tables call by a longer name."""
PER_CENT = {
    "within_2px",
    "within_1px",
    "hunting",
    "detected",
    "well_exposed",
    "success",
    "false_found",
    "possible",
}


def mean(source: str, setting: str | None, policy: str, key: str) -> float:
    """Mean over all runs of a policy with its likeliest actions; shares in per cent."""
    rows = [
        row
        for name in source.split("+")
        for row in json.loads((RESULTS / f"{name}.json").read_text())
        if row.get("setting") == setting and row["policy"] == policy and not row.get("sampled")
        and row.get("objects", "all") == "all" and row.get("goal", "all") == "all"
    ]  # fmt: skip
    values = [row[key] for row in rows if row.get(key) is not None]
    assert values, f"{source}.json holds no {key} of {policy} in {setting}"
    found = statistics.fmean(values)
    return 100.0 * found if key.removesuffix("_low").removesuffix("_high") in PER_CENT else found


@dataclass(frozen=True)
class Table:
    """A table of the documentation."""

    file: str
    head: str
    """How its first line begins."""
    after: str
    """Text before it."""
    source: str
    setting: str | None
    columns: tuple[str, ...]
    """Keys of the columns after the first; empty: not checked."""


TABLES = (
    Table(
        "docs/benchmark.md", "| policy | in focus", "## Focus on photographs never seen", f"{PLUS}+rivals",
        "planes_wide", ("within_2px", "within_1px", "moves_first", "moves_settled", "frames", "hunting"),
    ),
    Table(
        "docs/benchmark.md", "| policy | on the object", "With **two depths**", f"{PLUS}+rivals",
        "two_depths", ("within_2px", "frames"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.file} {table.setting}")
def test_tables_are_those_of_the_results(table: Table) -> None:
    text = (ROOT / table.file).read_text(encoding="utf-8")
    text = text[text.index(table.after) :]
    lines = text[text.index(table.head) :].split("\n\n")[0].splitlines()[2:]
    assert len(lines) > 5
    for line in lines:
        label, *cells = (cell.strip().strip("*").strip() for cell in line.strip("|").split("|"))
        label = re.sub(r" \(.*\)$", "", label.replace("*", "").replace("`", "").strip())
        for key, cell in zip(table.columns, cells, strict=True):
            number = cell.replace("*", "").removesuffix("%").strip()
            policy = LABELS.get(label, label)
            check(number, mean(table.source, table.setting, policy, key), f"{table.file}, {label}, {key}")


WIDE, TWO, JOINT = "planes_wide", "two_depths", "joint"
FOUR = r"(\S+) %, (\S+) % \| (\S+) %, (\S+) %"
STACKS = "stacks-linear", "stacks_linear"
SENTENCES: tuple[tuple[str, str, tuple[tuple[str, str | None, str, str], ...]], ...] = (
    (
        "README.md",
        r"within 2 px of blur in (\S+) % of the episodes, with (\S+) frames on average",
        ((PLUS, WIDE, "plus", "within_2px"), (PLUS, WIDE, "plus", "frames")),
    ),
    (
        "README.md",
        r"a fit of a contrast profile \((\S+) %, (\S+) frames\)",
        (("rivals", WIDE, "profile_fit", "within_2px"), ("rivals", WIDE, "profile_fit", "frames")),
    ),
    (
        "README.md",
        r"Golden section search and hill climbing reach 100 %, and take (\S+) and (\S+) frames",
        (("rivals", WIDE, "golden_section", "frames"), ("rivals", WIDE, "hill_climb", "frames")),
    ),
    (
        "README.md",
        r"finds the one that was asked for in (\S+) %; these three find it in (\S+) to (\S+) %",
        (
            (PLUS, TWO, "plus", "within_2px"), ("rivals", TWO, "profile_fit", "within_2px"),
            ("rivals", TWO, "golden_section", "within_2px"),
        ),
    ),
    (
        "README.md",
        r"within 2 px in (\S+) % \[(\S+), (\S+)\] and says \"found\" on a blurred object "
        r"in (\S+) % \[(\S+), (\S+)\]",
        tuple(
            (*STACKS, "plus", f"{key}{end}")
            for key in ("within_2px", "false_found")
            for end in ("", "_low", "_high")
        ),
    ),
    (
        "README.md",
        r"`coarse_to_fine` reaches (\S+) %, `libcamera`'s rules (\S+) %, `profile_fit` (\S+) %",
        tuple((*STACKS, name, "within_2px") for name in ("coarse_to_fine", "libcamera", "profile_fit")),
    ),
    (
        "docs/benchmark.md",
        r"A\^H of `plus` exposes well in (\S+) % of the episodes from 13 to 300 lx, with (\S+) commands; "
        r"the classical `histogram` with (\S+), auto exposure with (\S+)\.",
        (
            ("exposure", "exposure", "plus", "well_exposed"), ("exposure", "exposure", "plus", "steps"),
            ("exposure", "exposure", "histogram", "steps"),
            ("exposure", "exposure", "auto_mean_grey", "steps"),
        ),
    ),
    *(
        (
            "docs/benchmark.md",
            rf"\| {light} lx \| (\S+) % \| (\S+) \| (\S+) \|",
            (
                ("exposure-light", f"exposure_{setting}_lx", "plus", "possible"),
                ("exposure-light", f"exposure_{setting}_lx", "plus", "steps"),
                ("exposure-light", f"exposure_{setting}_lx", "histogram", "steps"),
            ),
        )
        for light, setting in (
            ("0.5 to 100,000", "0.5_to_100000"), ("2", "2"), ("1,000", "1000"), ("10,000", "10000"),
            ("50,000", "50000"), ("100,000", "100000"),
        )
    ),
    (
        "docs/benchmark.md",
        r"Without A\^H's hand-over, A\^L succeeds in (\S+) % instead of (\S+) %",
        ((PLUS, "joint_no_handover", "plus", "within_2px"), (PLUS, JOINT, "plus", "within_2px")),
    ),
    (
        "docs/benchmark.md",
        r"`paper` detects the object in (\S+) % with (\S+) moves\. So does one constant position with (\S+):",
        (
            ("paper", "planes_paper", "paper", "detected"),
            ("paper", "planes_paper", "paper", "moves_settled"),
            ("rivals", "planes_paper", "constant", "moves_settled"),
        ),
    ),
    (
        "docs/results/README.md",
        r"planes, 0\.3 to 10 m, start anywhere: within 2 px / 1 px \| (\S+) % / (\S+) %",
        ((PLUS, WIDE, "plus", "within_2px"), (PLUS, WIDE, "plus", "within_1px")),
    ),
    (
        "docs/results/README.md",
        r"moves to first in focus / to the end \| (\S+) / (\S+) \| .*?`profile_fit` (\S+) / (\S+) \|",
        (
            (PLUS, WIDE, "plus", "moves_first"), (PLUS, WIDE, "plus", "moves_settled"),
            ("rivals", WIDE, "profile_fit", "moves_first"), ("rivals", WIDE, "profile_fit", "moves_settled"),
        ),
    ),
    (
        "docs/results/README.md",
        r"two depths, on the object within 2 px \| (\S+) %",
        ((PLUS, TWO, "plus", "within_2px"),),
    ),
    (
        "docs/results/README.md",
        r"A\^H, then A\^L: within 2 px \| (\S+) % \| .*?without the hand-over (\S+) %",
        ((PLUS, JOINT, "plus", "within_2px"), (PLUS, "joint_no_handover", "plus", "within_2px")),
    ),
    (
        "docs/results/README.md",
        r"no detection in the reward \(`ablation_without_detection_reward`\) \| " + FOUR,
        tuple(
            ("ablation", setting, "ablation_without_detection_reward", key)
            for setting in (WIDE, TWO)
            for key in ("within_2px", "hunting")
        ),
    ),
    (
        "docs/results/README.md",
        r"pictures without their lens positions \(`ablation_without_position`\) \| " + FOUR,
        tuple(
            ("ablation", setting, "ablation_without_position", key)
            for setting in (WIDE, TWO)
            for key in ("within_2px", "hunting")
        ),
    ),
)  # fmt: skip
"""File, pattern of a sentence, and where each of its numbers comes from."""


@pytest.mark.parametrize(("file", "pattern", "sources"), SENTENCES, ids=lambda value: str(value)[:60])
def test_sentences_are_those_of_the_results(
    file: str, pattern: str, sources: tuple[tuple[str, str | None, str, str], ...]
) -> None:
    text = " ".join((ROOT / file).read_text(encoding="utf-8").split())
    found = re.search(pattern, text)
    assert found is not None, f"{file} no longer says: {pattern}"
    for number, source in zip(found.groups(), sources, strict=True):
        check(number, mean(*source), f"{file}, {' '.join(map(str, source))}")


def test_a_wrong_number_would_be_seen() -> None:
    check("99.2", 99.24, "a text")
    with pytest.raises(AssertionError, match=r"a text: 99\.2, measured 99\.26"):
        check("99.2", 99.26, "a text")
