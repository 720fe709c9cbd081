"""The threads of a network do not wait for each other on one core."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dasha_ros.assets import models
from dasha_ros.perception.cores import CoreShare, leave_cores_to_networks
from dasha_ros.perception.models.session import OnnxSession


def cores_of(thread: int) -> set[int]:
    return os.sched_getaffinity(thread)


def threads() -> set[int]:
    return {int(task.name) for task in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize(("cores", "count"), [({0}, 1), ({0}, 2), ({0, 1, 2}, 2), ({0, 1}, 1), (set(), 2)])
def test_threads_are_bound_only_if_there_are_as_many_cores(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], count: int
) -> None:
    bound: list[Any] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, to: bound.append(to))
    share = CoreShare(count)
    with share.bound():
        assert share.workers == ()
    assert bound == []


def test_the_caller_stays_off_the_workers_cores_during_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    course: list[Any] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 7, 9})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, to: course.append(set(to)))
    share = CoreShare(3)
    assert share.workers == (7, 9)

    @share.bound()
    def run() -> None:
        course.append("run")
        raise KeyError

    with pytest.raises(KeyError):
        run()
    assert course == [{4}, "run", {4, 7, 9}]


def test_a_core_that_was_taken_away_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    course: list[Any] = []
    cores = {0, 1}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(cores))
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, to: course.append(to))
    share = CoreShare(2)
    cores.discard(0)
    with share.bound():
        pass
    assert course == []


def test_a_run_continues_if_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, to: Any) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with CoreShare(2).bound():
        pass


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: there is nothing to share out")
def test_a_network_on_two_cores_has_a_worker_on_the_second(fetched: Any) -> None:
    """With the real runtime: its worker has one core, and the caller has its cores back after the run."""
    path = fetched(models.EFFICIENTNET_LITE0)
    before = threads()
    everything = os.sched_getaffinity(0)
    two = sorted(everything)[:2]
    made: list[tuple[set[int], set[int]]] = []

    def work() -> None:
        # A thread of its own: what it is bound to ends with it.
        os.sched_setaffinity(0, two)
        known = threads()
        session = OnnxSession(path, threads=2)
        (worker,) = threads() - known
        session.run(np.zeros((224, 224), np.uint8))
        made.append((cores_of(worker), cores_of(0)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert made == [({two[1]}, set(two))]
    assert threads() - before <= {thread.native_id}


def test_opencv_computes_in_the_thread_that_calls_it() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        leave_cores_to_networks()
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)
