"""Studies on a Ray cluster: addresses that are refused, and two loopback nodes, one of them killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import study_tasks
import two_photographs
import yaml
from study_tasks import Number, squares
from typer.testing import CliRunner

from dasha_ros.benchmark.studies import caches
from dasha_ros.benchmark.studies.driver import drive
from dasha_ros.benchmark.studies.pools import cluster
from dasha_ros.benchmark.studies.pools.cluster import RayPool
from dasha_ros.benchmark.studies.pools.local import LocalPool
from dasha_ros.benchmark.studies.results import Results
from dasha_ros.benchmark.studies.task import StudyError, Task
from dasha_ros.cli import app
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.store import Store
from dasha_ros.learning.dataset.scenes.description import load_scene_set
from dasha_ros.system import extras

HEAD, OTHER = "127.0.0.2", "127.0.0.3"


def test_without_ray_the_command_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(
        StudyError, match=r"a study on a cluster needs ray.*(setup --cluster|pip install ray)"
    ):
        RayPool("auto")


def test_addresses_that_mean_nothing_or_do_not_answer_are_refused(monkeypatch):
    monkeypatch.setattr(cluster, "require", lambda *names: None)
    for address in ("nonsense", "host:", ":6379", "host:port"):
        with pytest.raises(StudyError, match=r"give auto, or HOST:PORT"):
            RayPool(address)
    with socket.socket() as held:
        # Bound, but nobody listens.
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(StudyError, match=rf"no Ray cluster answers at {address}.*ray start"):
            RayPool(address).__enter__()


class Node:
    """A machine of a cluster, as processes that end with it."""

    def __init__(self, address: str, *words: str) -> None:
        tests = str(Path(study_tasks.__file__).parent)
        path = os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--node-ip-address={address}",
             "--num-cpus=1", "--disable-usage-stats", "--object-store-memory=100000000", *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ray runtime started" in line:
                break
        else:
            raise AssertionError("".join(said))
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def kill(self) -> None:
        everybody = [*psutil.Process(self._process.pid).children(recursive=True), self._process]
        for process in everybody:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stopped_at_a_task(self) -> bool:
        """Stop the worker of this node in the middle of a task; returns whether one was at work."""
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if _is_at_work(process):
                    process.suspend()
                    # It may have answered since it was looked at.
                    if _is_at_work(process):
                        return True
                    process.resume()
        return False


def _is_at_work(process: psutil.Process) -> bool:
    """Whether Ray says in the title of a worker that it carries out one of our tasks."""
    return "".join(process.cmdline()).startswith("ray::_carry_out")


@pytest.fixture
def nodes(tmp_path_factory):
    pytest.importorskip("ray", reason="scripts/setup --cluster installs Ray")
    with socket.socket() as free:
        free.bind((HEAD, 0))
        port = free.getsockname()[1]
    # Ray's sockets have long names, and those of sockets are limited.
    temporary = tmp_path_factory.getbasetemp() / "ray"
    started = []
    try:
        started.append(
            Node(HEAD, "--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={temporary}")
        )
        started.append(Node(OTHER, f"--address={HEAD}:{port}"))
        yield f"{HEAD}:{port}", started[1]
    finally:
        for node in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                node.kill()


@pytest.mark.slow
def test_two_nodes_compute_what_one_machine_computes_and_one_may_be_killed(nodes, tmp_path):
    address, other = nodes
    gate, began = tmp_path / "gate", tmp_path / "gate.began"
    waiting = [Task(f"waits {i}", study_tasks.wait_for, Number(i), str(gate)) for i in range(4)]
    others = [Task("dies once", study_tasks.die_once, Number(9), str(tmp_path / "once")), *squares(6)]
    bad = Task("bad", study_tasks.fail, Number(3))

    def kill_one_when_both_work(done, total):
        if not gate.exists() and began.exists() and len(began.read_text().splitlines()) == 2:
            other.kill()
            gate.write_text("")

    with RayPool(address) as pool, Results.opened(tmp_path / "ray") as results:
        summary = drive([*waiting, *others, bad], pool, results, progress=kill_one_when_both_work)
    assert gate.exists()
    assert summary.deaths == 2, "one with the node, one by its own hand"
    assert summary.failed == {"bad": "3 can't be done"}
    assert summary.computed == len(waiting) + len(others)

    (tmp_path / "once").unlink()
    with LocalPool(2) as local, Results.opened(tmp_path / "local") as results:
        drive([*waiting, *others, bad], local, results)
    here, there = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("local", "ray")
    )
    assert here == there


@pytest.mark.slow
def test_a_node_killed_while_it_computes_cells_costs_the_study_nothing_but_time(
    nodes, tmp_path, monkeypatch, fetched
):
    address, other = nodes
    for name in two_photographs.NEEDED:
        fetched(name)
    study, described = tmp_path / "study.yaml", two_photographs.described(tmp_path / "two.yaml")
    study.write_text(yaml.safe_dump({"scene_sets": [str(described)], "build": True}))
    expected = build_cache(load_scene_set(described), tmp_path / "alone", workers=1, grids=Grids.tiny())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(caches, "Grids", Grids.tiny)
    journals = (tmp_path / "dasha_ros" / "percepts").glob
    ended = threading.Event()

    def kill_in_the_middle() -> bool:
        """Stop the other node while it computes a view, and kill it once those of another view are there."""
        is_stopped = False
        while not ended.wait(0.01):
            is_stopped = is_stopped or other.stopped_at_a_task()
            if is_stopped and any(journals("*/journal.jsonl")):
                other.kill()
                return True
        return False

    with ThreadPoolExecutor(1) as beside:
        was_killed = beside.submit(kill_in_the_middle)
        try:
            done = CliRunner().invoke(app, ["study", "run", str(study), "--ray", address])
        finally:
            ended.set()
        assert was_killed.result(), done.output
    assert done.exit_code == 0, done.output
    assert re.search(r"workers died \d+ times", done.stderr)
    built = Path(done.stdout.strip())
    assert len(Store.load(built).done()) == len(expected.views)
    here, there = (
        {path.name: path.read_bytes() for path in place.glob("*.bin")} for place in (expected.path, built)
    )
    assert here
    assert here == there
