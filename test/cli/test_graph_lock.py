"""Of two graphs of one name only one runs, however processes die."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.bringup.environment import runtime_dir
from dasha_ros.bringup.lock import GraphLock, GraphRunsAlreadyError
from dasha_ros.config import ConfigError


@pytest.fixture(autouse=True)
def _runtime(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")


def test_the_second_graph_is_told_which_one_runs():
    first, second = GraphLock("/left"), GraphLock("/left")
    first.acquire()
    with pytest.raises(GraphRunsAlreadyError, match=rf"/left \(process {os.getpid()}\) is already running"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_other_namespaces_and_domains_have_locks_of_their_own(monkeypatch):
    GraphLock("/left").acquire()
    GraphLock("/right").acquire()
    monkeypatch.setenv("ROS_DOMAIN_ID", "8")
    GraphLock("/left").acquire()


def test_a_killed_graph_leaves_no_lock(spawn):
    code = """if True:
        import signal
        from dasha_ros.bringup.lock import GraphLock
        lock = GraphLock("/x")
        lock.acquire()
        print("mine")
        signal.pause()
    """
    child = spawn(sys.executable, "-c", code)
    child.wait_for_output("mine")
    with pytest.raises(GraphRunsAlreadyError, match=str(child.pid)):
        GraphLock("/x").acquire()
    child.send(signal.SIGKILL)
    child.wait()
    GraphLock("/x").acquire()


def test_of_many_started_at_once_one_comes_up():
    """Each thread opens the file itself, as processes do."""
    gate, came = threading.Barrier(8), list[bool]()

    def start() -> None:
        lock = GraphLock("/x")
        gate.wait()
        try:
            lock.acquire()
        except GraphRunsAlreadyError:
            came.append(False)
        else:
            came.append(True)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == [False] * 7 + [True]


def test_a_runtime_folder_that_is_not_ours_is_not_used(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    assert f"dasha-{os.getuid()}" in str(runtime_dir("/x"))


def test_a_lock_that_can_not_be_made_is_reported_with_its_file(monkeypatch, tmp_path):
    (tmp_path / "dasha_ros").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match=r"graph\.lock.*Not a directory.*XDG_RUNTIME_DIR"):
        GraphLock("/x").acquire()
