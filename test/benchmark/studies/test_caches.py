"""Percept caches that a study computes: equal to those of one process, killed and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import two_photographs
import yaml
from analytic_cache import analytic_cache
from typer.testing import CliRunner

from dasha_ros.assets import models
from dasha_ros.benchmark.studies import caches
from dasha_ros.benchmark.studies.caches import CacheOfStudy, build
from dasha_ros.benchmark.studies.driver import drive
from dasha_ros.benchmark.studies.model import Study
from dasha_ros.benchmark.studies.plan import plan_of
from dasha_ros.benchmark.studies.pools import local
from dasha_ros.benchmark.studies.pools.local import LocalPool
from dasha_ros.benchmark.studies.task import Died, Failure, Result, StudyError, carry_out
from dasha_ros.cli import app
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.scenes.description import load_scene_set


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_photographs.described(tmp_path_factory.mktemp("set") / "two.yaml")


@pytest.fixture(scope="module")
def expected(described: Path, tmp_path_factory: pytest.TempPathFactory, fetched) -> PerceptCache:
    """What `dasha cache build` computes in one process."""
    for name in two_photographs.NEEDED:
        fetched(name)
    folder = tmp_path_factory.mktemp("expected")
    return build_cache(load_scene_set(described), folder, workers=1, grids=Grids.tiny())


@pytest.fixture
def empty(expected: PerceptCache, tmp_path: Path) -> Store:
    """The same cache, of which nothing is computed."""
    store = Store.load(expected.path)
    made = Store.create(tmp_path / "cache", store.meta, store.views)
    made.reserve()
    return made


class InTurn:
    """A pool in this process. The worker of each task dies once; after some answers the driver is killed."""

    def __init__(self, answers: int = 1_000) -> None:
        self._left, self._flying, self._died = answers, [], set()

    room = 1

    def start(self, task) -> None:
        self.room, self._flying = 0, [task]

    def answers(self, seconds):
        (task,), self._flying, self.room = self._flying, [], 1
        if task.key not in self._died:
            self._died.add(task.key)
            return [(task, Died("a draw"))]
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return [(task, carry_out(task))]


def assert_equal(found: Path, expected: PerceptCache) -> None:
    cache = PerceptCache.open(found)
    assert cache.views == expected.views
    for name, array in expected.fields.items():
        assert np.array_equal(cache.fields[name], array, equal_nan=True), name


def test_two_workers_of_a_study_compute_what_one_process_computes(
    described: Path, expected: PerceptCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[tuple[str, int, int]] = []
    sets = {"two": load_scene_set(described)}
    with LocalPool(2) as pool:
        built = build(sets, pool, workers=1, grids=Grids.tiny(), progress=lambda *what: told.append(what))
    folder, summary = built["two"]
    assert folder.parent == tmp_path / "dasha_ros" / "percepts"
    assert (summary.computed, summary.failed) == (len(expected.views), {})
    assert told[-1] == ("views of two", len(expected.views), len(expected.views))
    assert_equal(folder, expected)


def test_a_driver_that_is_killed_goes_on_and_workers_that_die_cost_their_view_only(
    expected: PerceptCache, empty: Store
) -> None:
    keeper = CacheOfStudy(empty)
    with pytest.raises(KeyboardInterrupt):
        drive(keeper.tasks, InTurn(answers=1), keeper)
    with pytest.raises(CacheError, match="unfinished"):
        PerceptCache.open(empty.folder)
    told: list[tuple[str, int, int]] = []
    again = CacheOfStudy(Store.load(empty.folder), lambda *news: told.append(news))
    assert told == [("verified views", 1, 1)]
    summary = drive(again.tasks, InTurn(), again)
    assert (summary.resumed, summary.computed, summary.failed) == (1, len(expected.views) - 1, {})
    assert_equal(empty.folder, expected)


def test_a_task_is_named_by_the_digest_of_the_cache_and_travels_with_all_that_it_needs(empty: Store) -> None:
    task = CacheOfStudy(empty).tasks[0]
    other = replace(task.inputs, cache="0" * 64)
    assert task.key != replace(task, inputs=other).key
    assert task.key == replace(task, carried=None).key
    assert set(task.carried.files) >= {*empty.views[0].info.photographs, models.YOLOV3_TINY}


def test_a_machine_with_another_photograph_or_model_refuses(empty: Store) -> None:
    task = CacheOfStudy(empty).tasks[0]
    for name in (empty.views[task.inputs.view].info.photographs[0], models.YOLOV3_TINY):
        given = replace(task.carried, files={**task.carried.files, name: "another"})
        answer = carry_out(replace(task, carried=given))
        assert isinstance(answer, Failure)
        assert f"{name} on this machine is not that of the driver's machine: fetch" in answer.reason


def test_cells_of_another_shape_are_refused_before_they_are_written(empty: Store) -> None:
    keeper = CacheOfStudy(empty)
    task = keeper.tasks[0]
    part = empty.layout.part("cell", task.inputs.view)
    for arrays in ({}, {"score": np.zeros(part.stop - part.start + 1, np.float32)}):
        with pytest.raises(StudyError, match="are all machines of one version"):
            keeper.put(task.key, Result([], arrays=arrays))
    assert task.key not in keeper
    assert not empty.done()


def test_a_study_may_only_build_and_plays_on_what_was_built(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="or build percept caches"):
        Study(scene_sets=("two",))
    assert not Study(scene_sets=("two",), build=True).plays
    analytic_cache(tmp_path / "built")
    study = Study(scene_sets=("two",), splits=(0,), policies=("constant",), settings=("planes_wide",))
    with pytest.raises(CacheError, match="no percept cache of the scene set 'two'"):
        plan_of(study)
    plan = plan_of(study, {"two": tmp_path / "built"})
    assert list(plan.scene_sets.values()) == ["two"]
    assert [task.title for task in plan.tasks] == ["constant on two, split 0, seed 0"]


def test_the_command_builds_and_names_views_without_cells(
    described: Path, expected: PerceptCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(caches, "Grids", Grids.tiny)
    monkeypatch.setattr(local, "LocalPool", lambda workers: LocalPoolInTurn())
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({"scene_sets": [str(described)], "build": True}))
    command = ["study", "run", str(study), "--workers", "1"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    assert_equal(Path(first.stdout.strip()), expected)
    again = CliRunner().invoke(app, command)
    assert f"{len(expected.views)} tasks had been done before" in again.stderr
    Path(first.stdout.strip(), "journal.jsonl").unlink()
    monkeypatch.setattr(caches, "compute", refuse)
    failed = CliRunner().invoke(app, command)
    assert failed.exit_code == 1
    assert "no light" in failed.stderr
    assert "is not complete" in failed.stderr
    study.write_text(yaml.safe_dump({"scene_sets": ["nonsense"], "build": True}))
    assert "no scene set 'nonsense'" in CliRunner().invoke(app, command).stderr


class LocalPoolInTurn(InTurn):
    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        return None


def refuse(inputs, given) -> Result:
    raise StudyError("no light")
