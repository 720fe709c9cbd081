"""Ends a process whose middleware has stopped, so that it is started again.

Fast DDS can wait for itself for ever (https://github.com/eProsima/Fast-DDS/issues/6502, open in November
2026): a thread that receives removes an endpoint that has gone, holds the lock of the discovery, and waits
for the thread of timed events; this one wants the same lock to see who is still alive. From then on the
process hears nothing, and nobody announces it, so that others take it for dead. But it runs on: no supervisor
and no launch file sees any need to restart it.

The kernel tells what a thread waits for. The thread of timed events waits for the next event, with a time
limit, and for a lock only for microseconds. Who asks the kernel needs neither the middleware nor its locks.
"""

from __future__ import annotations

import faulthandler
import os
import platform
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dasha_ros.system.exit import end_within

THREAD = "dds.ev."
"""Names of Fast DDS's threads of timed events begin so."""
CHECK_S = 1.0
"""How often they are looked at [s]."""
PATIENCE = 5
"""After so many looks in a row that find a thread in the same wait for a lock, it counts as stuck."""
EXIT_CODE = 75
"""Of a process that ends so: EX_TEMPFAIL of sysexits(3), "the user is invited to retry"."""
SCAN_EVERY = 30
"""The threads are looked for anew once in so many looks: they begin with the node, and end with it."""
FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine())
"""The number of the system call futex(2); ``None``: not known for this processor."""
_WAIT, _OPERATION = 0, 0x7F
"""FUTEX_WAIT, by which glibc waits for a mutex (for a condition it is another one), and the mask of flags."""
TASKS = Path("/proc/self/task")
"""The folders of this process's threads."""

_WORDS_S = 2.0
"""The process ends after this time [s], even if nobody reads its words and the pipe is full."""

LockWait = tuple[int, int]
"""A lock by its address, and how often the thread had been put to sleep or out of its core when it began."""


class StandStill:
    """Finds a thread that waits for a lock and never gets it.

    It counts looks, not seconds: a process that was suspended does not look either.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._looks: dict[tuple[int, LockWait], int] = {}

    def look(self, waits: Mapping[int, LockWait]) -> bool:
        """Whether one of the threads is stuck.

        Args:
            waits: For each thread that waits for a lock right now, by its number, for which one.
        """
        self._looks = {wait: self._looks.get(wait, 0) + 1 for wait in waits.items()}
        return any(looks > PATIENCE for looks in self._looks.values())


def event_threads(tasks: Path = TASKS) -> list[Path]:
    """The folders of this process's threads of timed events; see proc(5). None with another middleware."""
    found = []
    for task in tasks.glob("[0-9]*"):
        # A thread may end while it is looked at.
        with suppress(OSError):
            if _text(task / "comm").startswith(THREAD):
                found.append(task)
    return found


def lock_waits(threads: Iterable[Path], futex: int | None = FUTEX) -> dict[int, LockWait]:
    """Which of some threads wait for a lock, by their numbers; see proc(5).

    Waits of other kinds count as none: for a condition, with a time limit, for a lock of readers and writers.
    None is known where the kernel does not tell, and on another processor.

    Args:
        threads: The folders of the threads.
        futex: The number of the system call futex(2); ``None``: unknown.
    """
    found: dict[int, LockWait] = {}
    for task in threads if futex is not None else ():
        # A thread may end while it is looked at, and some kernels hide its system calls.
        try:
            # Number of the call, then its arguments: address, operation, value, time limit. A running thread
            # has one word here.
            call = _text(task / "syscall").split()
            if len(call) < 5 or int(call[0]) != futex:
                continue
            address, operation, _, limit = (int(word, 16) for word in call[1:5])
            if operation & _OPERATION == _WAIT and limit == 0:
                switches = [line for line in _text(task / "status").splitlines() if "ctxt_switches:" in line]
                found[int(task.name)] = address, sum(int(line.split()[1]) for line in switches)
        except (OSError, ValueError, IndexError):
            continue
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace")


def watch_middleware(name: str) -> None:
    """Watch from a thread of its own, and end the process with `EXIT_CODE` if the middleware has stopped.

    Args:
        name: Of the node, for the message.
    """
    if FUTEX is not None:
        threading.Thread(target=_watch, args=(name,), name="middleware watch", daemon=True).start()


def _watch(name: str) -> None:
    stand_still, pause, threads, looks = StandStill(), threading.Event(), event_threads(), 0
    while not pause.wait(CHECK_S):
        looks += 1
        if not threads or looks % SCAN_EVERY == 0:
            threads = event_threads()
        if stand_still.look(lock_waits(threads)):
            _end(name)


def _end(name: str) -> None:
    """End the process, whoever hears why."""
    end_within(_WORDS_S, EXIT_CODE)
    try:
        # What each thread waits for, for whoever looks into it. The sentence comes last: a supervisor shows
        # the last lines.
        faulthandler.dump_traceback()
        print(
            f"{name} ends: its middleware has stopped, so it hears nothing and others take it for dead. "
            "Start it again. (Fast DDS waits for itself: github.com/eProsima/Fast-DDS/issues/6502.)",
            file=sys.stderr,
            flush=True,
        )
    finally:
        os._exit(EXIT_CODE)
