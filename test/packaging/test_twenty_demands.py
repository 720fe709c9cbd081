"""Each of the twenty demands has a page, something to try and a test, or says that it is not there yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dasha_ros.policies.outcome import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "twenty-demands.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]


def test_there_are_twenty() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 21)]
    assert all(len(row) == 5 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_is_answered_and_proven_or_said_to_be_missing(row: list[str]) -> None:
    _, demand, answered, example, proof = row
    assert demand
    if answered.lower().startswith("not yet"):
        assert proof == "none", "what is not there has no proof"
        return
    assert re.search(r"\]\(\.\./[\w/.-]+\.md", answered)
    assert "`" in example
    tests = re.findall(r"`(test_\w+)", proof)  # that they exist, test_named_tests checks
    assert tests
    for name in tests:
        assert list(ROOT.glob(f"test/**/{name}.py")), name


def parts(example: str) -> list[str]:
    """What a test that runs an example mentions: a command and its options, a file, a parameter, a topic."""
    (text,) = re.findall(r"`([^`]+)`", example)
    words = text.split()
    options = [word for word in words if word.startswith("--")]
    if words[0] == "dasha":
        named = [word for word in words[1:] if re.fullmatch(r"[a-z-]+", word)]
        return [*named[: 2 if named[0] == "benchmark" else 1], *options]
    if files := [word for word in words if re.search(r"\.(yaml|xml|sh)$", word)]:
        return [files[0].rpartition("/")[2]]
    name = words[0].partition(":=")[0]
    return options or [name if "/" in name else name.rpartition(".")[2]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_example_runs_in_a_test_that_the_row_names(row: list[str]) -> None:
    names = set(re.findall(r"`(test_\w+)", row[4]))
    texts = [path.read_text(encoding="utf-8") for name in names for path in ROOT.glob(f"test/**/{name}.py")]
    wanted = parts(row[3])
    assert wanted
    assert any(
        all(re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", text) for part in wanted) for text in texts
    ), f"no test of row {row[0]} mentions {', '.join(wanted)}"


def test_every_error_code_is_in_a_range_that_the_page_explains() -> None:
    page = (ROOT / "docs" / "how-to" / "compose-with-your-robot.md").read_text(encoding="utf-8")
    ranges = [(int(low), int(high)) for low, high in re.findall(r"(?m)^\| (\d+) to (\d+) \|", page)]
    ranges += [(int(only), int(only)) for only in re.findall(r"(?m)^\| (\d+) \|", page)]
    for code in ErrorCode:
        assert sum(low <= code <= high for low, high in ranges) == 1, code.name
    assert all(any(low <= code <= high for code in ErrorCode) for low, high in ranges)
