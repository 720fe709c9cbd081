"""Workers on this machine: processes with one thread each.

Python's own pool gives up all its tasks when one of its processes dies; this one loses only the task of the
process that died, and starts another.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from dasha_ros.benchmark.studies.task import Answer, Died, StudyError, Task, carry_out
from dasha_ros.system.processes import end_with_parent

# Don't fork: a child gets the locks of this process, but not the threads that hold them.
_SPAWN = multiprocessing.get_context("spawn")
END_S = 5.0
"""Time that a process has to end before it is killed [s]."""


class LocalPool:
    """Processes of this machine. Use it as a context manager."""

    def __init__(self, workers: int) -> None:
        """Prepare the pool; processes start with the first tasks.

        Args:
            workers: Number of processes.

        Raises:
            StudyError: Fewer than one.
        """
        if workers < 1:
            raise StudyError(f"{workers} workers can't do anything: give at least 1")
        self._count = workers
        self._idle: list[_Process] = []
        self._busy: dict[Connection, _Process] = {}

    def __enter__(self) -> LocalPool:
        """Return itself."""
        # Numeric libraries read it when a worker loads them.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        return self

    def __exit__(self, *error: object) -> None:
        """End all processes, and what they were doing."""
        for process in (*self._idle, *self._busy.values()):
            process.end()
        self._idle.clear()
        self._busy.clear()

    @property
    def room(self) -> int:
        """See `Pool`."""
        return self._count - len(self._busy)

    def start(self, task: Task) -> None:
        """See `Pool`."""
        process = self._idle.pop() if self._idle else _Process()
        # A process that died while it was idle is noticed here or when its answer is awaited.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.pipe.send(task)
        process.task = task
        self._busy[process.pipe] = process

    def answers(self, seconds: float) -> Sequence[tuple[Task, Answer]]:
        """See `Pool`."""
        came = []
        for pipe in wait(list(self._busy), seconds):
            assert isinstance(pipe, Connection)
            process = self._busy.pop(pipe)
            assert process.task is not None
            try:
                answer: Answer = pipe.recv()
                self._idle.append(process)
            except (EOFError, ConnectionResetError):
                answer = Died(process.end(END_S))
            came.append((process.task, answer))
        return came


class _Process:
    """One worker, and the task that it has."""

    def __init__(self) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.task: Task | None = None
        self._process: SpawnProcess = _SPAWN.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        # Only the child holds its end then, so that it closes when the child dies.
        theirs.close()

    def end(self, patience_s: float = 0.0) -> str:
        """Give it so long to end by itself, then end it; returns how it ended."""
        self._process.join(patience_s)
        self._process.terminate()
        self._process.join(END_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self.pipe.close()
        code = self._process.exitcode or 0
        return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _serve(pipe: Connection) -> None:
    """Carry out tasks until the pipe closes."""
    # Ctrl-C reaches all processes of a terminal; the driver decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(carry_out(pipe.recv()))
