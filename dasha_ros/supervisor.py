"""Keeps processes running: starts them, collects their output, restarts the dead, ends them in order.

Knows nothing of ROS: a program is a command line.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import IO

from dasha_ros.shared_memory import remove_dead_segments
from dasha_ros.timing import limits

Output = Callable[[str, str], None]
"""Called with a program's name and one line of its output, from a thread of that program."""

SIGNALS = (
    (signal.SIGINT, limits.PROCESS_ENDS_S),
    (signal.SIGTERM, limits.SIGTERM_S),
    (signal.SIGKILL, limits.SIGKILL_S),
)
"""How a program is ended: each signal, and how long it has to work [s]."""


@dataclass(frozen=True)
class Program:
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of the supervisor's own."""
    respawn: bool = True


@dataclass(frozen=True)
class Backoff:
    """When a dead program is started again."""

    first_s: float = 1.0
    """Pause before the first restart; it doubles with each further one."""
    longest_s: float = 30.0
    healthy_s: float = 30.0
    """A program that ran this long starts over with the shortest pause."""
    tries: int = 6
    """Restarts in a row, none of them healthy, before the program is given up."""

    def delay(self, restarts: int) -> float:
        """Pause before restart number ``restarts``, counted from 1 [s]."""
        return float(min(self.longest_s, self.first_s * 2 ** (restarts - 1)))


class State(Enum):
    """What a program does."""

    RUNNING = "running"
    WAITING = "waiting"
    """Dead, to be started again after a pause."""
    ENDED = "ended"
    """Dead, and stays so."""


@dataclass(frozen=True)
class Ended:
    """A program ended without being asked to."""

    name: str
    exit_code: int
    """Negative: the number of the signal that killed it."""
    restart_in_s: float | None
    """``None``: it will not be started again."""
    last_lines: tuple[str, ...]

    def __str__(self) -> str:
        """One sentence for people."""
        how = f"exit code {self.exit_code}"
        if self.exit_code < 0:
            how = f"signal {signal.Signals(-self.exit_code).name}"
        then = "stays down" if self.restart_in_s is None else f"starts again in {self.restart_in_s:g} s"
        return f"{self.name} ended ({how}) and {then}"


@dataclass(frozen=True)
class Memory:
    """Memory of one or more processes [bytes]."""

    rss: int
    """Resident, pages shared with others counted in full."""
    pss: int
    """Resident, shared pages divided among those that share them: sums to what is really used."""

    def __add__(self, other: Memory) -> Memory:
        """The memory of both."""
        return Memory(self.rss + other.rss, self.pss + other.pss)


class _Running:
    """One program and the process it currently is."""

    def __init__(self, program: Program, output: Output, log: Path | None) -> None:
        self.program = program
        self.state = State.ENDED
        self.restarts = 0
        self.started_at = 0.0
        self.start_at = 0.0
        self.last_lines: deque[str] = deque(maxlen=20)
        self.process: subprocess.Popen[str] | None = None
        self._output = output
        self._log = log
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        # Its own session: Ctrl-C in the terminal reaches the supervisor alone, which
        # then ends everyone in order. setpriv: no orphan keeps a camera or a lens
        # when the supervisor itself is killed.
        setpriv = shutil.which("setpriv")
        guard = (setpriv, "--pdeathsig", "INT", "--") if setpriv else ()
        self.process = subprocess.Popen(
            (*guard, *self.program.command),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.state, self.started_at = State.RUNNING, time.monotonic()
        self._reader = threading.Thread(
            target=self._read, args=(self.process.stdout,), name=f"output of {self.program.name}", daemon=True
        )
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self._log.open("a", encoding="utf-8")) if self._log else None
            for raw in stack.enter_context(stream):
                line = raw.rstrip("\n")
                self.last_lines.append(line)
                if log is not None:
                    with contextlib.suppress(OSError):  # a full disk must not stop the program's output
                        log.write(line + "\n")
                        log.flush()
                self._output(self.program.name, line)

    def join_reader(self) -> None:
        if self._reader is not None:
            self._reader.join(1.0)

    def signal(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)


class Supervisor:
    """Runs programs until it is told to stop. Call `poll` regularly from one thread.

    Usable as a context manager: leaving it stops everything.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        output: Output = lambda name, line: None,
        log_dir: Path | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare to run ``programs``.

        Args:
            programs: What to run; the names must differ.
            output: Gets every line that a program prints.
            log_dir: Folder for one ``NAME.log`` each; made when it is missing.
            backoff: When dead programs are started again.

        Raises:
            OSError: The folder for the logs can't be made.
        """
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)
        self._backoff = backoff or Backoff()
        self._running = {
            p.name: _Running(p, output, None if log_dir is None else log_dir / f"{p.name}.log")
            for p in programs
        }
        if len(self._running) != len(programs):
            raise ValueError(f"programs of the same name: {[p.name for p in programs]}")

    def __enter__(self) -> Supervisor:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Start all programs. If one can't be started, those before it are stopped again.

        Raises:
            OSError: A command can't be executed.
        """
        try:
            for running in self._running.values():
                running.start()
        except OSError:
            self.stop()
            raise

    def poll(self) -> list[Ended]:
        """Notice who ended since the last call, and restart whose pause is over. Does not block."""
        events = []
        for running in self._running.values():
            process = running.process
            if running.state is State.RUNNING and process is not None and process.poll() is not None:
                events.append(self._ended(running, process.returncode))
            elif running.state is State.WAITING and time.monotonic() >= running.start_at:
                running.start()
        return events

    def _ended(self, running: _Running, exit_code: int) -> Ended:
        running.join_reader()
        if time.monotonic() - running.started_at >= self._backoff.healthy_s:
            running.restarts = 0
        delay: float | None = None
        if running.program.respawn and running.restarts < self._backoff.tries:
            running.restarts += 1
            delay = self._backoff.delay(running.restarts)
            running.state, running.start_at = State.WAITING, time.monotonic() + delay
        else:
            running.state = State.ENDED
        remove_dead_segments()
        return Ended(running.program.name, exit_code, delay, tuple(running.last_lines))

    def stop(self) -> dict[str, int]:
        """End all programs: SIGINT first, then SIGTERM, then SIGKILL for those that do not listen.

        Returns:
            The exit code of every program that was running; negative: killed by that signal.
        """
        alive = [r for r in self._running.values() if r.state is State.RUNNING]
        for running in self._running.values():
            running.state = State.ENDED
        for number, deadline_s in SIGNALS:
            for running in alive:
                running.signal(number)
            end = time.monotonic() + deadline_s
            while any(_pending(r) for r in alive) and time.monotonic() < end:
                time.sleep(0.02)
        for running in alive:
            running.join_reader()
        remove_dead_segments()
        return {r.program.name: r.process.returncode for r in alive if r.process is not None}

    def states(self) -> dict[str, State]:
        """What every program does."""
        return {name: running.state for name, running in self._running.items()}

    def pids(self) -> dict[str, int]:
        """Process ids of the running programs."""
        return {
            name: running.process.pid
            for name, running in self._running.items()
            if running.state is State.RUNNING and running.process is not None
        }

    def memory(self) -> dict[str, Memory]:
        """Memory of every running program."""
        return {name: m for name, pid in self.pids().items() if (m := memory_of(pid)) is not None}


def _pending(running: _Running) -> bool:
    return running.process is not None and running.process.poll() is None


def memory_of(pid: int) -> Memory | None:
    """Memory of a process, ``None`` when it is gone or not ours to read (proc(5), smaps_rollup)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    kib = {key: int(rest.split()[0]) for key, _, rest in (x.partition(":") for x in text.splitlines()[1:])}
    return Memory(rss=kib["Rss"] * 1024, pss=kib["Pss"] * 1024) if {"Rss", "Pss"} <= kib.keys() else None
