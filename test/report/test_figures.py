"""Figures are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_disk import files_of_at_most

from dasha_ros.report.figures import new_figure, save


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(new_figure(1.0, 1.0), "empty", tmp_path / folder)
    for name in ("empty.svg", "empty.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_full_disk_leaves_no_part_of_a_figure(tmp_path: Path) -> None:
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        save(new_figure(1.0, 1.0), "empty", tmp_path)
    assert not list(tmp_path.iterdir())
