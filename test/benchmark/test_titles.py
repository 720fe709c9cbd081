"""Runs of one preset are one row of a table; a file that is compared with another one is a row of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dasha_ros.benchmark.methods import focus_methods
from dasha_ros.benchmark.trials.titles import own_titles
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy

SHIPPED = shipped_policy("plus", "focus")


@pytest.fixture
def mine(tmp_path: Path) -> str:
    return str(shutil.copy(SHIPPED, tmp_path / "mine.npz"))


def test_a_file_beside_the_policy_that_ships_has_its_own_title(mine: str) -> None:
    titles = own_titles([mine, "plus", "planner"], "focus")
    assert titles == {mine: f"plus ({mine})"}
    assert focus_methods(mine, title=titles.get(mine))[0].policy == f"plus ({mine})"
    assert focus_methods("plus", title=titles.get("plus"))[0].policy == "plus"
    assert focus_methods(mine)[0].policy == "plus"
    assert own_titles([mine, "coarse_to_fine"], "focus") == {}


def test_files_of_one_seed_and_split_are_told_apart_and_other_runs_are_summed_up(
    mine: str, tmp_path: Path
) -> None:
    again, other = str(tmp_path / "again.npz"), str(tmp_path / "other.npz")
    shutil.copy(SHIPPED, again)
    file = PolicyFile.load(SHIPPED, "focus")
    info = replace(file.info, made={**file.info.made, "seed": 71})
    replace(file, info=info).save(Path(other))
    assert set(own_titles([mine, again], "focus")) == {mine, again}
    assert own_titles([mine, other], "focus") == {}
    assert set(own_titles([mine, other, again], "focus")) == {mine, again}
