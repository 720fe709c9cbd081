"""Keeps processes running: starts them, collects their output, restarts the dead, ends them in order."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType

from dasha_ros.bringup.child_process import ChildProcess, Memory, Output, Program, memory_of
from dasha_ros.freshness import limits
from dasha_ros.system.shared_memory import remove_dead_segments

SIGNALS = (
    (signal.SIGINT, limits.PROCESS_ENDS_S),
    (signal.SIGTERM, limits.SIGTERM_S),
    (signal.SIGKILL, limits.SIGKILL_S),
)
"""How a program is ended: each signal, and how long it has to work [s]."""
IN_A_HURRY = ((signal.SIGINT, limits.HURRIED_S), (signal.SIGKILL, limits.SIGKILL_S))
"""How all programs are ended at once when somebody does not want to wait."""
TELL_AFTER_S = 2.0
"""A wait for the end of a stage that is longer is told of."""
COULD_NOT_START = 127
"""Stands for the exit code of a program whose command can't be executed, as in a shell."""


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
    is_final: bool = False
    """It would end the same way again."""
    trouble: str = ""
    """Why it could not even be started; it has no exit code of its own then."""

    def __str__(self) -> str:
        """One sentence for people."""
        how = f"exit code {self.exit_code}"
        if self.exit_code < 0:
            how = f"signal {_signal_name(-self.exit_code)}"
        if self.trouble:
            how = f"could not be started: {self.trouble}"
        then = "stays down" if self.restart_in_s is None else f"starts again in {self.restart_in_s:g} s"
        return f"{self.name} ended ({how}) and {then}"


def _signal_name(number: int) -> str:
    known = {s.value: s.name for s in signal.Signals}
    return known.get(number, str(number))  # those of real time have no name


class _Running:
    """A program and what becomes of it."""

    def __init__(self, child: ChildProcess) -> None:
        self.child, self.program = child, child.program
        self.state = State.ENDED
        self.restarts = 0
        self.started_at = 0.0
        self.start_at = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.child.start()
        self.state = State.RUNNING


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
        # Programs are told when the thread that started them ends: this one lives as long as the supervisor.
        starter = ThreadPoolExecutor(1, "starts programs")
        self._running = {
            p.name: _Running(
                ChildProcess(p, output, None if log_dir is None else log_dir / f"{p.name}.log", starter)
            )
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
            if running.state is State.RUNNING and (code := running.child.exit_code) is not None:
                running.child.join_reader()
                events.append(self._ended(running, code))
            elif running.state is State.WAITING and time.monotonic() >= running.start_at:
                try:
                    running.start()
                except OSError as error:
                    events.append(self._ended(running, COULD_NOT_START, str(error)))
        return events

    def _ended(self, running: _Running, exit_code: int, trouble: str = "") -> Ended:
        if time.monotonic() - running.started_at >= self._backoff.healthy_s:
            running.restarts = 0
        delay: float | None = None
        is_final = not trouble and exit_code in running.program.final_codes
        if running.program.respawn and not is_final and running.restarts < self._backoff.tries:
            running.restarts += 1
            delay = self._backoff.delay(running.restarts)
            running.state, running.start_at = State.WAITING, time.monotonic() + delay
        else:
            running.state = State.ENDED
        _clean_up()
        lines = tuple(running.child.last_lines)
        return Ended(running.program.name, exit_code, delay, lines, is_final, trouble)

    def stop(
        self,
        hurry: Callable[[], bool] = lambda: False,
        tell: Callable[[list[str]], None] = lambda names: None,
    ) -> dict[str, int]:
        """End all programs, stage by stage: SIGINT, then SIGTERM, then SIGKILL for those that do not listen.

        Args:
            hurry: Whether somebody does not want to wait: then all that is left is ended at once.
            tell: Told once of a stage that takes its time: who is waited for.

        Returns:
            The exit code of every program that was running; negative: killed by that signal.
        """
        alive = [r for r in self._running.values() if r.state is State.RUNNING]
        for running in self._running.values():
            running.state = State.ENDED
        for stage in sorted({r.program.stage for r in alive}):
            _end([r.child for r in alive if r.program.stage == stage], SIGNALS, hurry, tell)
            if hurry():
                _end([r.child for r in alive], IN_A_HURRY, lambda: False, tell)
                break
        for running in alive:
            running.child.join_reader()
        _clean_up()
        return {r.program.name: code for r in alive if (code := r.child.exit_code) is not None}

    def states(self) -> dict[str, State]:
        """What every program does."""
        return {name: running.state for name, running in self._running.items()}

    def pids(self) -> dict[str, int]:
        """Process ids of the running programs."""
        return {
            name: pid
            for name, running in self._running.items()
            if running.state is State.RUNNING and (pid := running.child.pid) is not None
        }

    def memory(self) -> dict[str, Memory]:
        """Memory of every running program."""
        return {name: m for name, pid in self.pids().items() if (m := memory_of(pid)) is not None}


def _end(
    children: Iterable[ChildProcess],
    signals: Iterable[tuple[signal.Signals, float]],
    hurry: Callable[[], bool],
    tell: Callable[[list[str]], None],
) -> None:
    """Send one signal after the other until all have ended, or somebody is in a hurry."""
    left, tell_at = list(children), time.monotonic() + TELL_AFTER_S
    for number, deadline_s in signals:
        for child in left:
            child.signal(number)
        end = time.monotonic() + deadline_s
        while (left := [c for c in left if c.runs]) and time.monotonic() < end and not hurry():
            if time.monotonic() >= tell_at:
                tell_at = float("inf")
                tell([c.program.name for c in left])
            time.sleep(0.02)
        if not left or hurry():
            return


def _clean_up() -> None:
    with contextlib.suppress(OSError):
        remove_dead_segments()
