"""Folders of runs: settings that were changed by hand, and runs of another kind."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest

from dasha_ros.files.locking import folder_locked
from dasha_ros.learning.training import run_folder
from dasha_ros.learning.training.joint.run import JointFolder, JointPlan
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo, TrainingError

INFO = RunInfo("focus", {"name": "paper"}, "/c", "key", 0, 0, 64, 64, "table", "lens")
PLAN = JointPlan(replace(INFO, agent="exposure"), replace(INFO, handed_over=True))


@pytest.fixture
def single(tmp_path):
    folder = RunFolder(tmp_path / "single")
    folder.create(INFO)
    return folder


@pytest.fixture
def joint(tmp_path):
    folder = JointFolder(tmp_path / "joint")
    folder.create(PLAN)
    return folder


def test_what_was_written_is_read(single, joint):
    assert single.info() == INFO
    assert joint.plan() == PLAN


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": "many"}, "steps = 'many'"),
        ({"steps": 0}, "steps = 0"),
        ({"split": "a"}, "split = 'a'"),
        ({"seed": -5}, "seed = -5"),
        ({"cache": 5}, "cache = 5"),
        ({"agent": "foo"}, "agent = 'foo': .*'exposure' or 'focus'"),
        ({"preset": {}}, "preset: it has no name"),
        ({"preset": 3}, "preset = 3"),
        ({"prize": 1}, "prize = 1"),
        ({"command": 7}, "command = 7"),
    ],
)
def test_settings_that_can_not_be_are_named(changes, says, single, joint):
    (single.path / "run.json").write_text(json.dumps(asdict(INFO) | changes))
    with pytest.raises(TrainingError, match=rf"run\.json is damaged \({says}.*in another folder"):
        single.info()
    document = asdict(PLAN)
    document["focus"] |= changes
    (joint.path / "joint.json").write_text(json.dumps(document))
    with pytest.raises(TrainingError, match=rf"joint\.json is damaged \({says}"):
        joint.plan()


def test_plans_of_a_joint_run_are_not_exchanged(joint):
    (joint.path / "joint.json").write_text(json.dumps({"exposure": asdict(INFO), "focus": asdict(INFO)}))
    with pytest.raises(TrainingError, match=r"exposure\.agent = 'focus'"):
        joint.plan()


@pytest.mark.parametrize("kind", [RunFolder, JointFolder])
def test_of_two_processes_that_begin_a_run_in_one_folder_one_is_refused(kind, tmp_path, monkeypatch):
    """The other one begins its run after this one has seen that there is none."""
    folder, made = kind(tmp_path / "run"), INFO if kind is RunFolder else PLAN
    with (
        folder_locked(folder.path, RuntimeError, "busy"),
        pytest.raises(TrainingError, match=f"another process trains in {folder.path}"),
    ):
        folder.create(made)
    assert not [*folder.path.glob("*.json")]

    @contextmanager
    def late(path, *more):
        RunFolder(path).write("run.json", json.dumps(asdict(INFO)).encode())
        yield

    monkeypatch.setattr(run_folder, "folder_locked", late)
    with pytest.raises(TrainingError, match="already holds a run"):
        folder.create(made)
    assert RunFolder(folder.path).info() == INFO


def test_advice_never_leads_in_a_circle(single, joint, tmp_path):
    go_on = rf"go on with `dasha train focus --resume {single.path}`"
    for refused in (lambda: JointFolder(single.path).create(PLAN), lambda: single.create(INFO)):
        with pytest.raises(TrainingError, match=f"already holds a run: {go_on}, or give another folder"):
            refused()
    with pytest.raises(TrainingError, match=f"holds no joint run, but another one: {go_on}"):
        JointFolder(single.path).plan()

    go_on = rf"go on with `dasha train joint --resume {joint.path}`"
    joint.focus.create(PLAN.focus)
    for folder in (joint, RunFolder(joint.path), joint.focus):
        with pytest.raises(TrainingError, match=f"already holds a run: {go_on}"):
            folder.create(PLAN if folder is joint else INFO)
    with pytest.raises(TrainingError, match=f"holds no run of one agent, but another one: {go_on}"):
        RunFolder(joint.path).info()
    assert not (joint.path / "run.json").exists()

    with pytest.raises(TrainingError, match="holds no run of one agent: begin one without --resume"):
        RunFolder(tmp_path / "none").info()
