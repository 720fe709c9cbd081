"""A program that stands back is one program to whoever started it, and another session to Linux."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ros_harness import wait_for

from dasha_ros.system.stand_back import LEAST, stand_back

PROGRAM = """
import os, signal, sys, time
from dasha_ros.system.stand_back import stand_back
came = []
stand_back(5)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda n, _: came.append(n))
print(os.getpid(), os.getsid(0), os.nice(0), flush=True)
while not came:
    time.sleep(0.01)
print("ended by", came[0], flush=True)
sys.exit(7)
"""


@pytest.fixture
def program():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


def grouped() -> bool:
    return Path("/proc/self/autogroup").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_it_and_its_exit_code_comes_back(program, number) -> None:
    worker, session, niceness = said(program)
    assert niceness == os.nice(0) + 5
    if grouped():
        assert worker == session != program.pid
        assert f"nice {LEAST}" in Path(f"/proc/{worker}/autogroup").read_text()
        assert f"nice {LEAST}" not in Path("/proc/self/autogroup").read_text()
    program.send_signal(number)
    assert program.stdout.read() == f"ended by {number.value}\n"
    assert program.wait() == 7


@pytest.mark.skipif(not grouped(), reason="Linux does not group processes by session here")
def test_a_worker_without_its_parent_is_told_to_end(program) -> None:
    worker, *_ = said(program)
    program.kill()
    assert program.stdout.read() == f"ended by {signal.SIGTERM.value}\n"
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), "the end of the worker")


@pytest.mark.skipif(not grouped(), reason="Linux does not group processes by session here")
def test_a_worker_that_a_signal_kills_is_told_as_a_shell_tells_it(program) -> None:
    worker, *_ = said(program)
    os.kill(worker, signal.SIGKILL)
    assert program.wait() == 128 + signal.SIGKILL


@pytest.mark.skipif(not grouped(), reason="Linux does not group processes by session here")
def test_both_stop_and_go_on_together(program) -> None:
    worker, *_ = said(program)

    def states() -> set[str]:
        return {
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            for pid in (worker, program.pid)
        }

    program.send_signal(signal.SIGTSTP)
    wait_for(lambda: states() == {"T"}, "both to stop")
    program.send_signal(signal.SIGCONT)
    wait_for(lambda: "T" not in states(), "both to go on")


def test_a_program_with_threads_stays_one(monkeypatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked with threads"))
    monkeypatch.setattr("threading.active_count", lambda: 2)
    stand_back(0)
