"""Keeps programs running: starts them, collects their output, restarts dead ones, ends them in order."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dasha_ros.bringup.child_process import ChildProcess, Memory, Output, Program, memory_of
from dasha_ros.system import shutdown_limits
from dasha_ros.system.shared_memory import remove_dead_segments

SIGNALS = (
    (signal.SIGINT, shutdown_limits.PROCESS_ENDS_S),
    (signal.SIGTERM, shutdown_limits.SIGTERM_S),
    (signal.SIGQUIT, shutdown_limits.SIGQUIT_S),
    (signal.SIGKILL, shutdown_limits.SIGKILL_S),
)
"""The signals that end a program, and how long to wait after each of them [s]. At SIGQUIT a node prints where
its threads stand, even if one of them blocks all of Python."""
IN_A_HURRY = ((signal.SIGINT, shutdown_limits.HURRIED_S), (signal.SIGKILL, shutdown_limits.SIGKILL_S))
"""The same for all programs at once, when the user does not want to wait."""
_LOOK_S = 0.02
TELL_AFTER_S = 2.0
"""A stage that takes longer to end is reported."""
COULD_NOT_START = 127
"""Exit code of a program whose command can't be executed, as in a shell."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a dead program is started again."""

    first_s: float = 1.0
    """Pause before the first restart; it doubles with every further restart."""
    longest_s: float = 30.0
    healthy_s: float = 30.0
    """After a program has run this long, the pause is short again."""
    tries: int = 6
    """Give the program up after this many restarts in a row that were not healthy."""

    def delay(self, restarts: int) -> float:
        """Pause before restart number ``restarts``, counted from 1 [s]."""
        return float(min(self.longest_s, self.first_s * 2 ** (restarts - 1)))


class State(Enum):
    """State of a program."""

    RUNNING = "running"
    WAITING = "waiting"
    """Dead, and waiting for its restart."""
    ENDED = "ended"
    """Dead for good."""


@dataclass(frozen=True)
class Ended:
    """A program ended without being asked to."""

    name: str
    exit_code: int
    """Negative if a signal killed it: the number of the signal."""
    restart_in_s: float | None
    """``None`` if it will not be started again."""
    last_lines: tuple[str, ...]
    is_final: bool = False
    """Whether a restart would fail the same way."""
    trouble: str = ""
    """Why it could not be started at all; `exit_code` is `COULD_NOT_START` then."""

    def __str__(self) -> str:
        """One sentence for the user."""
        how = f"exit code {self.exit_code}"
        if self.exit_code < 0:
            how = f"signal {_signal_name(-self.exit_code)}"
        if self.trouble:
            how = f"could not be started: {self.trouble}"
        then = "stays down" if self.restart_in_s is None else f"starts again in {self.restart_in_s:g} s"
        return f"{self.name} ended ({how}) and {then}"


def _signal_name(number: int) -> str:
    known = {s.value: s.name for s in signal.Signals}
    return known.get(number, str(number))  # real-time signals have no name


class _Running:
    """A program, its process and its restarts."""

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
    """Runs programs until it is stopped. Call `poll` regularly from one thread.

    Works as a context manager that stops all programs at its end.
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
            log_dir: Folder for one ``NAME.log`` per program; created if it is missing.
            backoff: How long to wait before restarts.

        Raises:
            OSError: The folder for the logs can't be created.
        """
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)
        self._backoff = backoff or Backoff()
        # A program gets a signal when the thread that started it ends, so this thread must live on.
        starter = ThreadPoolExecutor(1, "starts programs")
        self._running = {
            p.name: _Running(
                ChildProcess(p, output, None if log_dir is None else log_dir / f"{p.name}.log", starter)
            )
            for p in programs
        }
        if len(self._running) != len(programs):
            raise ValueError(f"programs with the same name: {[p.name for p in programs]}")

    def __enter__(self) -> Supervisor:
        """Start everything."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Start all programs. If one can't be started, the others are stopped again.

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
        """Return the programs that ended since the last call, and start those that are due (never blocks)."""
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
        """End all programs, stage by stage, with SIGINT, SIGTERM, SIGQUIT and SIGKILL.

        Args:
            hurry: Whether to end all remaining programs at once, because the user does not want to wait.
            tell: Called once in a slow stage with the names of the programs that are still running.

        Returns:
            The exit code of every program that was running; negative if a signal killed it.
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
        """State of every program."""
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
    """Send one signal after the other until all programs have ended, or the user is in a hurry."""
    left, tell_at = list(children), time.monotonic() + TELL_AFTER_S
    for number, deadline_s in signals:
        for child in left:
            child.signal(number)
        end = time.monotonic() + deadline_s
        if number is signal.SIGQUIT:
            # What it kills is not looked at before SIGKILL has ended what those processes started.
            while any(not child.has_died for child in left) and time.monotonic() < end and not hurry():
                time.sleep(_LOOK_S)
            continue
        while (left := [c for c in left if c.runs]) and time.monotonic() < end and not hurry():
            if time.monotonic() >= tell_at:
                tell_at = float("inf")
                tell([c.program.name for c in left])
            time.sleep(_LOOK_S)
        if not left or hurry():
            return


def _clean_up() -> None:
    with contextlib.suppress(OSError):
        remove_dead_segments()
