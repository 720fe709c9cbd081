"""Studies from file to rows: what is refused, what is left out, and that workers compute what we compute."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
import yaml
from analytic_cache import analytic_cache
from synthetic_cache import synthetic_cache
from tiny_runs import TINY
from typer.testing import CliRunner

from dasha_ros.benchmark.evaluation import focus_rows, play
from dasha_ros.benchmark.methods import MethodError, exposure_methods, focus_methods
from dasha_ros.benchmark.studies import driver, work
from dasha_ros.benchmark.studies.driver import drive
from dasha_ros.benchmark.studies.model import Study, load_study, study_names
from dasha_ros.benchmark.studies.plan import plan_of
from dasha_ros.benchmark.studies.pools.local import LocalPool
from dasha_ros.benchmark.studies.results import ROW_KEYS, Results
from dasha_ros.benchmark.studies.task import Failure, StudyError, carry_out
from dasha_ros.benchmark.testbed import cache_testbed
from dasha_ros.cli import app
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.evaluation.settings import focus_setting
from dasha_ros.learning.training.presets import PresetError
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
from dasha_ros.system.paths import config_dir


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "cache"
    analytic_cache(folder)
    return folder


@pytest.fixture
def asked(cache):
    return {
        "scene_sets": [str(cache)],
        "splits": [0, 1],
        "seeds": [0, 3],
        "policies": ["constant", "oracle", "libcamera"],
        "settings": ["planes_wide"],
        "episodes": 2,
    }


def file_of(asked, folder, **changes):
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump({**asked, **changes}))
    return path


def test_the_plan_is_the_product(asked):
    plan = plan_of(Study(**asked))
    assert len(plan.tasks) == 2 * 2 * 3
    assert len({task.key for task in plan.tasks}) == len({task.title for task in plan.tasks}) == 12
    assert plan.skipped == ()
    again = plan_of(Study(**asked, description="other words"))
    assert [task.key for task in again.tasks] == [task.key for task in plan.tasks]
    more = plan_of(Study(**{**asked, "episodes": 3}))
    assert not {task.key for task in more.tasks} & {task.key for task in plan.tasks}


def test_rows_are_those_of_the_comparison_without_measured_times(asked, cache):
    task = next(task for task in plan_of(Study(**asked)).tasks if task.title.startswith("libcamera"))
    result = carry_out(task)
    assert result == carry_out(task), "a task is a pure function"
    testbed = cache_testbed(cache, "focus", [])
    done = play(
        testbed.arena, focus_methods("libcamera", knowledge=testbed.parts[0].knowledge[0]),
        focus_setting("planes_wide"), testbed.parts[0].numbers, per_view=2, seed=0, split=0,
    )  # fmt: skip
    [expected] = focus_rows(
        [(m, replace(t, decide_ms=0.0)) for m, t in done], "planes_wide", split=0, arena="cache"
    )
    del expected["decide_ms"]
    assert result.rows == [{**expected, "seed": 0, "cache": "analytic"}]


def test_a_policy_from_a_file_travels_with_its_task(asked, tmp_path):
    copy = tmp_path / "mine.npz"
    copy.write_bytes(shipped_policy("paper", "exposure").read_bytes())
    plan = plan_of(
        Study(**{**asked, "agent": "exposure", "settings": [], "policies": [str(copy), "auto_once"]})
    )
    carried = [task for task in plan.tasks if task.carried.policy is not None]
    assert carried, "it plays on the split that it learned from"
    assert all(task.carried.policy == copy.read_bytes() for task in carried)
    assert all("learned from split" in sentence for sentence in plan.skipped)
    rows = carry_out(next(task for task in plan.tasks if task.title.startswith("auto_once"))).rows
    assert [row["setting"] for row in rows] == ["exposure"]
    assert "decide_ms" not in rows[0]


def test_a_worker_refuses_another_cache_and_another_policy(asked, monkeypatch, tmp_path):
    task = plan_of(Study(**asked)).tasks[0]
    rules = replace(task.inputs.rules, cache="another")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    answer = carry_out(replace(task, inputs=replace(task.inputs, rules=rules)))
    assert isinstance(answer, Failure)
    assert "no percept cache another" in answer.reason
    with pytest.raises(StudyError, match="install the same package"):
        work.play(replace(task.inputs, digest="0123"), task.carried)


def test_a_damaged_cache_of_something_else_ends_no_study(asked, cache, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("a", "z"):
        (tmp_path / "dasha_ros/percepts" / name).mkdir(parents=True)
        (tmp_path / "dasha_ros/percepts" / name / "meta.json").write_text("{}")
    with pytest.raises(CacheError, match=r"no percept cache of the scene set 'analytic'.*/[az] is damaged"):
        plan_of(Study(**{**asked, "scene_sets": ["analytic"]}))
    (tmp_path / "dasha_ros/percepts/m").symlink_to(cache)
    os.utime(tmp_path / "dasha_ros/percepts/a/meta.json", (0, 0))
    os.utime(tmp_path / "dasha_ros/percepts/z/meta.json", (2e9, 2e9))
    plan = plan_of(Study(**{**asked, "scene_sets": [Store.load(cache).meta.scene_set]}))
    [passed_over] = plan.skipped
    assert "percepts/z is damaged" in passed_over
    assert (
        f"it may be a newer one of analytic than {tmp_path}/dasha_ros/percepts/m, which is used"
        in passed_over
    )
    task = plan.tasks[0]
    elsewhere = replace(task, carried=replace(task.carried, cache="/nowhere"))
    assert carry_out(elsewhere) == carry_out(task)


def test_a_worker_names_a_damaged_cache_that_may_be_the_one(asked, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    task = plan_of(Study(**asked)).tasks[0]
    (tmp_path / "meta.json").write_text("{}")
    rules = replace(task.inputs.rules, cache="lost")
    for folder, says in ((tmp_path, rf"not looked into: .*{tmp_path} is damaged"), ("/nowhere", "folder$")):
        with pytest.raises(CacheError, match=f"no percept cache lost, .*{says}"):
            work.play(replace(task.inputs, rules=rules), replace(task.carried, cache=str(folder)))


ROW = dict.fromkeys(ROW_KEYS, "analytic")


@pytest.mark.parametrize(
    "content",
    [
        "", "[", "{}", "[1]", "[]", "[{}]", json.dumps([{**ROW, "cache": "another"}]),
        json.dumps([ROW, {**ROW, "cache": ["analytic"]}]),
    ],
)  # fmt: skip
def test_a_result_that_is_damaged_is_computed_again(asked, tmp_path, content):
    command = [
        "study",
        "run",
        str(file_of(asked, tmp_path)),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "1",
    ]
    assert CliRunner().invoke(app, command).exit_code == 0
    tables = (tmp_path / "out/tables.md").read_bytes()
    damaged = sorted((tmp_path / "out/results").glob("*.json"))[0]
    damaged.write_text(content)
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0
    assert "11 tasks had been done before" in again.stderr
    assert (tmp_path / "out/tables.md").read_bytes() == tables


def test_what_means_nothing_is_left_out_and_told(asked):
    shown = plan_of(Study(**{**asked, "splits": [0, 1, 2], "policies": ["plus", "constant"]}))
    split = focus_methods("plus")[0].split
    assert sum(task.title.startswith("plus") for task in shown.tasks) == 2
    assert len(shown.skipped) == 2
    assert all(f"learned from split {split}" in sentence for sentence in shown.skipped)
    other = next(number for number in range(3) if number != split)
    with pytest.raises(StudyError, match=r"product is empty.*learned from split"):
        plan_of(Study(**{**asked, "splits": [other], "policies": ["plus"]}))


def test_nobody_is_handed_over_to_by_a_policy_that_has_seen_the_photographs(asked):
    split = exposure_methods("plus")[0].split
    settings = {"settings": ["planes_wide", "joint"], "exposure_policy": "plus", "policies": ["constant"]}
    plan = plan_of(Study(**{**asked, **settings, "splits": [0, 1, 2]}))
    played = {task.inputs.rules.split: task.inputs.rules.settings for task in plan.tasks}
    assert all(("joint" in names) == (number == split) for number, names in played.items())
    assert all("planes_wide" in names for names in played.values())
    assert len(plan.skipped) == 2
    assert all(f"A^H plus learned from split {split}" in sentence for sentence in plan.skipped)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"presets": ["nonsense"]}, "no preset 'nonsense'.*one of:"),
        ({"policies": ["nonsense"]}, "no focus policy 'nonsense'"),
        ({"settings": ["nonsense"]}, "no setting 'nonsense'"),
        ({"exposure_policy": "nonsense"}, "nonsense"),
        ({"splits": [7]}, "has no split 7"),
        ({"scene_sets": ["nonsense"]}, "no percept cache of the scene set 'nonsense'.*dasha cache build"),
        ({"scene_sets": ["/nowhere/at/all"]}, "no percept cache"),
        ({"policies": []}, "nothing plays"),
        ({"seeds": []}, r"seeds = \[\]: .*at least 1"),
        ({"seeds": [1, 1]}, "1 is there twice"),
        ({"policies": ["plus", str(shipped_policy("plus", "focus"))]}, "plus and .* are the same policy"),
        ({"agent": "exposure"}, "leave them out"),
        ({"episode": 3}, "episode = 3: there is no such key; the keys are "),
    ],
)
def test_bad_studies_are_refused_with_what_to_do(asked, tmp_path, changes, message):
    with pytest.raises((StudyError, CacheError, MethodError, PresetError, ValueError), match=message):
        plan_of(load_study(str(file_of(asked, tmp_path, **changes))))


def test_a_cache_of_another_version_is_refused(asked, cache, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    meta = json.loads((cache / "meta.json").read_text())
    (old / "meta.json").write_text(json.dumps({**meta, "format": 1}))
    (old / "views.json").write_bytes((cache / "views.json").read_bytes())
    with pytest.raises(CacheError, match=r"dasha cache build"):
        plan_of(Study(**{**asked, "scene_sets": [str(old)]}))


@pytest.mark.parametrize("name", study_names())
def test_studies_that_ship_name_what_exists(name):
    study = load_study(name)
    assert study.description
    for policy in study.policies:
        focus_methods(policy)
    with pytest.raises(StudyError, match=r"one of: .*paper"):
        load_study("nonsense")


def test_every_key_of_a_study_is_described():
    assert all(field.description for field in Study.model_fields.values())


def test_the_command_prints_tables_and_goes_on(asked, tmp_path):
    study = file_of(asked, tmp_path, seeds=[0], splits=[0], settings=["planes_wide", "two_depths"])
    command = ["study", "run", str(study), "--out", str(tmp_path / "out"), "--workers", "1"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    assert "### two_depths" in first.stdout
    rows = (tmp_path / "out" / "rows.json").read_bytes()
    assert len(json.loads(rows)) == 3 * 2
    again = CliRunner().invoke(app, command)
    assert "3 tasks had been done before" in again.stderr
    assert (tmp_path / "out" / "rows.json").read_bytes() == rows
    refused = CliRunner().invoke(app, ["study", "run", "nonsense"])
    assert refused.exit_code == 2
    assert "no study 'nonsense'" in refused.stderr


def test_ctrl_c_keeps_the_rows_and_says_how_to_go_on(asked, tmp_path, monkeypatch):
    def interrupted(tasks, pool, results, *, progress):
        results.put(tasks[0].key, carry_out(tasks[0]))
        raise KeyboardInterrupt

    monkeypatch.setattr(driver, "drive", interrupted)
    command = ["study", "run", str(file_of(asked, tmp_path)), "--out", str(tmp_path / "out")]
    damaged = tmp_path / "out/results" / f"{plan_of(Study(**asked)).tasks[1].key}.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("[{}]")
    stopped = CliRunner().invoke(app, command)
    assert stopped.exit_code == 130
    assert "the same command goes on" in stopped.stderr
    assert [row["policy"] for row in json.loads((tmp_path / "out" / "rows.json").read_text())] == ["constant"]


def test_tasks_without_a_result_are_named_and_the_command_fails(asked, tmp_path, monkeypatch):
    def failing(tasks, pool, results, *, progress):
        return driver.Summary(0, failed={tasks[0].title: "its worker died 3 times"}, deaths=3)

    monkeypatch.setattr(driver, "drive", failing)
    command = ["study", "run", str(file_of(asked, tmp_path)), "--out", str(tmp_path / "out")]
    ended = CliRunner().invoke(app, command)
    assert ended.exit_code == 1
    assert "failed: constant on" in ended.stderr
    assert "1 tasks have no result" in ended.stderr


@pytest.mark.torch
def test_a_training_gives_equal_files_wherever_it_runs(tmp_path):
    pytest.importorskip("stable_baselines3", reason="scripts/setup --torch installs stable-baselines3")
    document = yaml.safe_load((config_dir() / "presets" / "paper.yaml").read_text())
    document["focus"]["ppo"] = TINY
    preset = tmp_path / "tiny.yaml"
    preset.write_text(yaml.safe_dump(document))
    cache = synthetic_cache(tmp_path / "cache", planes=8)
    study = Study(
        scene_sets=(str(cache.path),), splits=(0,), seeds=(1,), presets=(str(preset),), steps=64,
        settings=("planes_paper",), episodes=1,
    )  # fmt: skip
    [task] = plan_of(study).tasks
    here = carry_out(task)
    assert here.rows[0]["policy"] == "tiny, trained"
    assert here.rows[0]["policy_seed"] == 1
    with LocalPool(1) as pool, Results.opened(tmp_path / "results") as results:
        assert drive([task], pool, results).computed == 1
        assert results.rows(task.key) == here.rows
        assert results.file(task.key, "policy.npz").read_bytes() == here.files["policy.npz"]
    assert PolicyFile.load(results.file(task.key, "policy.npz"), "focus").info.made["split"] == 0
