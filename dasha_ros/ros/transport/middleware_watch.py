"""Ends a process whose middleware has stopped, so that it is started again.

Fast DDS can wait for itself for ever (https://github.com/eProsima/Fast-DDS/issues/6502, open in November
2026): a thread that receives removes an endpoint that has gone, holds the lock of the discovery, and waits
for the thread of timed events; this one wants the same lock to see who is still alive. From then on the
process hears nothing, and nobody announces it, so that others take it for dead. But it runs on: no supervisor
and no launch file sees any need to restart it.

The thread of timed events wakes several times a second, to announce the process. The kernel counts that, and
who counts needs neither the middleware nor its locks.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

THREAD = "dds.ev."
"""Names of Fast DDS's threads of timed events begin so."""
CHECK_S = 1.0
"""How often they are looked at [s]."""
PATIENCE = 10
"""After so many looks without a sign of life a thread counts as stuck. It announces the process five times a
second, and by Fast DDS's own defaults every three seconds."""
USUAL = 5
"""A thread that was once still for longer gets so many times as long."""
_KNOWN = 10
"""A thread counts as usually alive once it was seen to wake so often."""
_TASKS = Path("/proc/self/task")


class StandStill:
    """Finds a thread that used to wake and wakes no more.

    It counts looks, not seconds: a process that was suspended looks as rarely as its threads wake.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._threads: dict[int, _Thread] = {}

    def look(self, wakes: Mapping[int, int]) -> bool:
        """Whether one of the threads is stuck.

        Args:
            wakes: How often each thread has woken since it began, by its number.
        """
        self._threads = {
            number: self._threads.get(number) or _Thread(count) for number, count in wakes.items()
        }
        # Each of them is told, also if an earlier one is stuck.
        stuck = [thread.is_stuck(wakes[number]) for number, thread in self._threads.items()]
        return any(stuck)


class _Thread:
    def __init__(self, count: int) -> None:
        self._count, self._woke, self._still, self._longest = count, 0, 0, 0

    def is_stuck(self, count: int) -> bool:
        """Whether it stands still, by how often it has woken."""
        if count != self._count:
            self._longest = max(self._longest, self._still)
            self._count, self._woke, self._still = count, self._woke + 1, 0
        else:
            self._still += 1
        return self._woke >= _KNOWN and self._still >= max(PATIENCE, USUAL * self._longest)


def wakes_of(tasks: Path = _TASKS) -> dict[int, int]:
    """How often each thread of timed events of this process has woken, by its number; see proc(5).

    Empty where there is no such thread: with another middleware, or where the kernel has no ``/proc``.
    """
    found: dict[int, int] = {}
    for task in tasks.glob("[0-9]*"):
        # A thread may end while it is looked at.
        try:
            if (task / "comm").read_text(encoding="ascii", errors="replace").startswith(THREAD):
                status = (task / "status").read_text(encoding="ascii", errors="replace")
                found[int(task.name)] = sum(
                    int(line.split()[1]) for line in status.splitlines() if "ctxt_switches:" in line
                )
        except (OSError, ValueError, IndexError):
            continue
    return found


def watch_middleware(name: str, *, look: Callable[[], Mapping[int, int]] = wakes_of) -> threading.Thread:
    """Watch from a thread of its own, and end the process with code 1 if the middleware has stopped.

    Args:
        name: Of the node, for the message.
        look: See `wakes_of`.
    """
    thread = threading.Thread(target=_watch, args=(name, look), name="middleware watch", daemon=True)
    thread.start()
    return thread


def _watch(name: str, look: Callable[[], Mapping[int, int]]) -> None:
    stand_still, pause = StandStill(), threading.Event()
    while not pause.wait(CHECK_S):
        if stand_still.look(look()):
            # What each thread waits for, for whoever looks into it.
            faulthandler.dump_traceback()
            print(
                f"{name} ends: its middleware has stopped, so it hears nothing and others take it for dead. "
                "Start it again. (Fast DDS waits for itself: github.com/eProsima/Fast-DDS/issues/6502.)",
                file=sys.stderr,
                flush=True,
            )
            os._exit(1)
