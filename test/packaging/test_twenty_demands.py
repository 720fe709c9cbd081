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


def test_every_error_code_is_in_a_range_that_the_page_explains() -> None:
    page = (ROOT / "docs" / "how-to" / "compose-with-your-robot.md").read_text(encoding="utf-8")
    ranges = [(int(low), int(high)) for low, high in re.findall(r"(?m)^\| (\d+) to (\d+) \|", page)]
    ranges += [(int(only), int(only)) for only in re.findall(r"(?m)^\| (\d+) \|", page)]
    for code in ErrorCode:
        assert sum(low <= code <= high for low, high in ranges) == 1, code.name
    assert all(any(low <= code <= high for code in ErrorCode) for low, high in ranges)
