"""The driver of a study: workers that die, tasks that fail, a full disk, and going on from results."""

from __future__ import annotations

import errno
import os

import pytest
import study_tasks
from hypothesis import given, settings
from hypothesis import strategies as st
from study_tasks import Number, squares

from dasha_ros.benchmark.studies import results as results_module
from dasha_ros.benchmark.studies.driver import drive
from dasha_ros.benchmark.studies.pools.local import LocalPool
from dasha_ros.benchmark.studies.results import Results
from dasha_ros.benchmark.studies.task import Died, Failure, Result, StudyError, Task, carry_out


@pytest.fixture(scope="module")
def pool():
    with LocalPool(2) as pool:
        yield pool


@pytest.fixture
def results(tmp_path):
    with Results.opened(tmp_path / "results") as results:
        yield results


class PoolByScript:
    """Answers in an order that the test draws; `deaths` says how often each task's worker dies first."""

    def __init__(self, deaths, order, room):
        self._deaths, self._order, self._size = dict(deaths), order, room
        self._flying = []
        self.begun = []

    @property
    def room(self):
        return self._size - len(self._flying)

    def start(self, task):
        assert self.room > 0, "the driver started more than the pool takes"
        self.begun.append(task.key)
        self._flying.append(task)

    def answers(self, seconds):
        task = self._flying.pop(self._order.randrange(len(self._flying)))
        if self._deaths.get(task.key, 0) > 0:
            self._deaths[task.key] -= 1
            return [(task, Died("a draw"))]
        return [(task, carry_out(task))]


def test_results_do_not_depend_on_the_number_of_workers(pool, tmp_path):
    contents = []
    for name, workers in (("one", None), ("two", pool)):
        with Results.opened(tmp_path / name) as kept, LocalPool(1) as single:
            drive(squares(6), workers or single, kept)
        contents.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 6 * 2 + 1, "rows and a file for each task, and the lock"


@settings(max_examples=60, deadline=None)
@given(
    deaths=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
    room=st.integers(1, 4),
    kept=st.sets(st.integers(0, 5)),
)
def test_every_task_ends_once_and_deaths_cost_only_their_own(tmp_path_factory, deaths, order, room, kept):
    tasks = squares(len(deaths))
    script = PoolByScript({task.key: count for task, count in zip(tasks, deaths, strict=True)}, order, room)
    told = []
    with Results.opened(tmp_path_factory.mktemp("drawn")) as results:
        before = [task for i, task in enumerate(tasks) if i in kept]
        for task in before:
            results.put(task.key, Result([]))
        summary = drive(tasks, script, results, progress=lambda done, total: told.append((done, total)))
        left = [(task, count) for task, count in zip(tasks, deaths, strict=True) if task not in before]
        lost = {task.title for task, count in left if count >= 3}
        assert set(summary.failed) == lost
        assert summary.resumed == len(before)
        assert {task.key for task, _ in left if task.title not in lost} == {
            task.key for task, _ in left if task.key in results
        }
        for task, count in left:
            assert script.begun.count(task.key) == min(count + 1, 3)
    assert told[-1] == (len(tasks), len(tasks))
    assert told == sorted(told)


def test_a_worker_that_is_killed_costs_its_task_only_and_the_task_is_done_again(pool, results, tmp_path):
    attempts = tmp_path / "attempts"
    again = Task("dies once", study_tasks.die_once, Number(7), str(attempts))
    never = Task("always dies", study_tasks.die, Number(8), str(tmp_path / "others"))
    summary = drive([again, never, *squares(4)], pool, results)
    assert len(attempts.read_text().split()) == 2
    assert results.rows(again.key) == [{"square": 49, "third": 7 / 3}]
    assert len((tmp_path / "others").read_text().split()) == 3, "a bounded number of attempts"
    assert list(summary.failed) == ["always dies"]
    assert "died 3 times" in summary.failed["always dies"]
    assert "SIGKILL" in summary.failed["always dies"]
    assert (summary.computed, summary.deaths) == (5, 4)


def test_a_task_that_fails_is_named_and_not_tried_again(pool, results):
    bad = Task("bad", study_tasks.fail, Number(3))
    worse = Task("worse", study_tasks.crash, Number(3))
    summary = drive([bad, worse, *squares(2)], pool, results)
    assert summary.failed == {"bad": "3 can't be done", "worse": "ZeroDivisionError: by nothing"}
    assert (summary.computed, summary.deaths) == (2, 0)


def test_a_full_disk_is_named_and_what_was_computed_is_kept(pool, results, monkeypatch):
    real, written = results_module.write_whole, []

    def until_full(path, content, **options):
        if len(written) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        real(path, content, **options)

    with monkeypatch.context() as patch:
        patch.setattr(results_module, "write_whole", until_full)
        with pytest.raises(StudyError, match=r"is full: free space.*kept, and the same command goes on"):
            drive(squares(5), pool, results)
    assert sum(task.key in results for task in squares(5)) == 2
    with LocalPool(1) as other:
        summary = drive(squares(5), other, results)
    assert (summary.resumed, summary.computed) == (2, 3)


def test_an_unfinished_result_is_not_taken_for_one(results):
    task = squares(1)[0]
    results.folder.joinpath(f"{task.key}.bytes").write_bytes(b"half")
    assert task.key not in results
    results.put(task.key, Result([{"a": 1}]))
    results.folder.joinpath(f"{task.key}.json").write_text("[{")
    with pytest.raises(StudyError, match="delete it"):
        results.rows(task.key)


def test_two_drivers_never_share_a_folder(results):
    with pytest.raises(StudyError, match="another study is writing"), Results.opened(results.folder):
        raise AssertionError


def test_keys_tell_inputs_and_work_apart_and_nothing_else():
    task = Task("a", study_tasks.square, Number(1), "here")
    assert task.key == Task("b", study_tasks.square, Number(1), "there").key
    assert task.key != Task("a", study_tasks.square, Number(2), "here").key
    assert task.key != Task("a", study_tasks.die, Number(1), "here").key
    assert carry_out(Task("", study_tasks.fail, Number(1))) == Failure("1 can't be done")


def test_a_pool_that_is_left_ends_its_workers_in_the_middle_of_a_task(tmp_path):
    gate = tmp_path / "gate"
    with LocalPool(1) as pool:
        pool.start(Task("waits", study_tasks.wait_for, Number(1), str(gate)))
        began = tmp_path / "gate.began"
        while not (began.exists() and began.read_text().endswith("\n")):
            assert not pool.answers(0.05)
    worker = int(began.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
