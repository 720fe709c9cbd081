"""A process whose middleware waits for itself ends, so that it is started again; no other one does."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ros_harness import Spawner

from dasha_ros.ros.transport.middleware_watch import (
    EXIT_CODE,
    PATIENCE,
    THREAD,
    StandStill,
    event_threads,
    lock_waits,
)

FUTEX = 202
MUTEX = "202 0x7f00 0x80 0x2 0x0 0x0 0x0 0x7ffc 0x7f01\n"
STUCK = Path(__file__).with_name("stuck_node.py")


@given(st.lists(st.none() | st.tuples(st.integers(1, 2), st.integers(1, 2)), max_size=60))
def test_who_waits_for_the_same_lock_in_each_of_many_looks_is_stuck(waits) -> None:
    """``None``: it waits for no lock. Else which one, and since when."""
    stand_still = StandStill()
    for end, wait in enumerate(waits, start=1):
        stuck = stand_still.look({} if wait is None else {7: wait})
        last = waits[max(end - PATIENCE - 1, 0) : end]
        assert stuck == (wait is not None and len(last) > PATIENCE and set(last) == {wait})


def test_a_thread_that_is_stuck_counts_beside_one_that_is_not() -> None:
    stand_still = StandStill()
    told = [stand_still.look({1: (5, 5), 2: (5, i)}) for i in range(PATIENCE + 1)]
    assert told == [False] * PATIENCE + [True]
    assert not stand_still.look({2: (5, 0), 3: (5, 5)}), "another thread has another number"


def test_the_kernel_tells_what_threads_of_the_middleware_wait_for(tmp_path: Path) -> None:
    def task(number: str, name: str, syscall: str, status: str = "") -> None:
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(f"{name}\n")
        (tmp_path / number / "syscall").write_text(syscall)
        counts = "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n"
        (tmp_path / number / "status").write_text(status or counts)

    task("7", f"{THREAD}0", MUTEX)
    task("8", "dds.udp.7400", MUTEX)
    task("9", f"{THREAD}1", "running\n")
    task("10", f"{THREAD}2", MUTEX.replace("0x80", "0x189"))  # a condition
    task("11", f"{THREAD}3", MUTEX.replace("0x2 0x0", "0x2 0x7f5018df0e60"))  # with a time limit
    task("12", f"{THREAD}4", MUTEX.replace("202", "0"))  # it reads a file
    task("13", f"{THREAD}5", MUTEX, "voluntary_ctxt_switches: many\n")
    (tmp_path / "14").mkdir()
    threads = event_threads(tmp_path)
    assert {int(each.name) for each in threads} == {7, 9, 10, 11, 12, 13}
    assert lock_waits(threads, FUTEX) == {7: (0x7F00, 42)}
    assert lock_waits(threads, None) == {}, "another processor"
    assert event_threads(tmp_path / "nowhere") == []
    assert lock_waits([tmp_path / "15"], FUTEX) == {}, "it has ended"


HEALTHY = """
import rclpy
from dasha_ros.ros.transport.middleware_watch import event_threads, lock_waits

rclpy.init()
node = rclpy.create_node("healthy")
threads = event_threads()
assert len(threads) == 1, threads
calls = {(threads[0] / "syscall").read_text().split()[0] for _ in range(200)}
waits = sum(bool(lock_waits(threads)) for _ in range(200))
print(" ".join(sorted(calls)), waits)
"""


@pytest.mark.graph
@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="other system calls")
def test_fast_dds_has_such_a_thread_and_it_waits_for_no_lock(spawn: Spawner) -> None:
    """Its system calls can be read, and it waits for the next event."""
    healthy = spawn.python("-c", HEALTHY)
    assert healthy.wait() == 0, healthy.output
    *calls, waits = healthy.lines[-1].split()
    assert {"202", "98"} & set(calls)
    assert int(waits) < 20


WITHOUT_A_READER = """
import os, sys
from dasha_ros.ros.transport.middleware_watch import _end

sys.stderr = {stderr}
_end("deaf")
"""


@pytest.mark.parametrize("stderr", ["None", "open(os.pipe()[1], 'w')", "open('/dev/full', 'w')"])
def test_it_ends_whoever_hears_why(stderr: str) -> None:
    program = [sys.executable, "-c", WITHOUT_A_READER.format(stderr=stderr)]
    assert subprocess.run(program, check=False, capture_output=True).returncode == EXIT_CODE


@pytest.mark.graph
@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="other system calls")
def test_a_node_whose_middleware_stopped_ends(spawn: Spawner) -> None:
    """All its other threads run on, as in the deadlock."""
    node = spawn.python(str(STUCK), "dasha_ros.nodes.lens_driver")
    assert node.wait() == EXIT_CODE, node.output
    assert node.lines[-1].startswith("lens_driver ends: its middleware has stopped")
