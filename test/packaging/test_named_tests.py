"""Documents that name a test as a proof name one that exists."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
FILES: dict[str, str] = defaultdict(str)
"""Text of each file by its name; files of one name in several folders together."""
for _path in sorted(ROOT.glob("test/**/test_*.py")):
    FILES[_path.stem] += _path.read_text(encoding="utf-8")
NAMED = re.compile(r"`(?P<file>test_\w+)?(?:::(?P<test>test_\w+)(?:\[[^\]]+\])?)?`")


def named_tests(text: str) -> list[tuple[str, str]]:
    """File and test of each mention; ``::test_x`` means the file that was named last in the same line."""
    found = []
    for line in text.splitlines():
        file = ""
        for mention in NAMED.finditer(line):
            file = mention["file"] or file
            if file:
                found.append((file, mention["test"] or ""))
    return found


def test_mentions_are_recognised() -> None:
    text = "| x | `test_a::test_b`, `::test_c[d]`, `test_e`, `other` | `dasha` |\n`test/nodes/test_f.py`\n"
    assert named_tests(text) == [("test_a", "test_b"), ("test_a", "test_c"), ("test_e", "")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_test_exists(document: str) -> None:
    missing = [
        f"{file}::{test}"
        for file, test in named_tests((ROOT / document).read_text(encoding="utf-8"))
        if file not in FILES or f"def {test or 'test_'}" not in FILES[file]
    ]
    assert not missing
