"""A goal's labels come from the graph and name the folder of its report: no label may lead elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dasha_ros.report import ReportWriter

PLAIN = re.compile(r"\d{8}T\d{9}Z-[a-z0-9+-]{1,60}", re.ASCII)
GOAL = {"min_score": 0.3, "max_brisque": 100.0, "max_steps": 80}


@pytest.mark.parametrize(
    "label", ["../../etc", "/etc/passwd", "..", ".", "a/b", "a\\b", "%2e%2e", "a\nb", "~root", "ü", "x" * 64]
)
def test_any_label_makes_a_folder_inside_the_reports(tmp_path: Path, label: str) -> None:
    running = ReportWriter(tmp_path / "reports").begin({**GOAL, "labels": (label,)})
    running.picture("before", b"\xff\xd8\xff\xd9")
    (partial,) = (tmp_path / "reports").iterdir()
    name = partial.name.lstrip(".").partition("Z-")
    assert PLAIN.fullmatch(f"{name[0]}Z-{name[2].partition('.')[0]}")
    running.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
