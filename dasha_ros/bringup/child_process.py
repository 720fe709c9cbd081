"""Runs one program as a child process: starts it, reads its output to the last line, sends it signals.

Nothing here knows ROS: a program is a command line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

Output = Callable[[str, str], None]
"""Called with a program's name and one line of its output, in a thread of its own for each program."""

LONGEST_LINE = 1 << 16
"""Longer lines are cut [bytes], so that a program that never ends its line can't fill the memory."""


@dataclass(frozen=True)
class Program:
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables in addition to the supervisor's own."""
    respawn: bool = True
    stage: int = 0
    """Position in the shutdown: the program is ended after all programs of lower stages."""
    final_codes: frozenset[int] = frozenset()
    """Exit codes after which a restart would fail the same way, so there is none."""


class LogFile:
    """Writes a program's lines to a file. A failing disk must not block the program's output."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, line: str) -> None:
        """Append a line. A deleted folder is made again; a line that can't be written is dropped."""
        with contextlib.suppress(OSError):
            self._open().write(line.encode(errors="replace") + b"\n")

    def begin(self) -> None:
        """Create the file: an empty file shows that the program printed nothing."""
        with contextlib.suppress(OSError):
            self._open()

    def _open(self) -> IO[bytes]:
        if self._file is None or not self._path.exists():
            self.close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered, so that a line that a full disk refused is not written again with every later line.
            self._file = self._path.open("ab", buffering=0)
        return self._file

    def close(self) -> None:
        """Close the file, even if the disk fails."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class ChildProcess:
    """One program and its current process.

    Args:
        program: What to run.
        output: Gets every line. Its first exception is written to the log, and ignored otherwise.
        log: File for the lines.
        starter: A single thread that starts the processes and outlives them.
    """

    def __init__(
        self, program: Program, output: Output, log: Path | None, starter: ThreadPoolExecutor
    ) -> None:
        self.program = program
        self.last_lines: deque[str] = deque(maxlen=20)
        self._process: subprocess.Popen[bytes] | None = None
        self._output, self._log = output, None if log is None else LogFile(log)
        self._output_failed = False
        self._reader: threading.Thread | None = None
        self._starter = starter

    @property
    def pid(self) -> int | None:
        """Process id, `None` if the program was never started."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, or the negative number of the signal that killed the process; `None` while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def runs(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: The command can't be executed.
        """
        try:
            # The kernel sends the signal of --pdeathsig when the *thread* that started the process ends.
            self._process = process = self._starter.submit(self._popen).result()
            name = f"output of {self.program.name}"
            self._reader = threading.Thread(target=self._read, args=(process.stdout,), name=name, daemon=True)
            self._reader.start()
        except RuntimeError as error:
            # No more threads can be started; without a reader the program would block at a full pipe.
            self.signal(signal.SIGKILL)
            raise OSError(errno.EAGAIN, str(error)) from error

    def _popen(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches only the supervisor, which ends all programs
        # in order. setpriv: no orphan holds a camera or a lens after the supervisor was killed.
        setpriv = shutil.which("setpriv")
        guard = (setpriv, "--pdeathsig", "INT", "--") if setpriv else ()
        # The pipe is read as UTF-8, whatever encoding the user's terminal has.
        ours = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            (*guard, *self.program.command),
            env={**os.environ, **ours, **self.program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _read(self, stream: IO[bytes]) -> None:
        """Read until the program ends, whatever happens to its lines: a full pipe would block it."""
        if self._log is not None:
            self._log.begin()
        with stream:
            while raw := stream.readline(LONGEST_LINE):
                self._pass_on(raw.decode(errors="replace").rstrip("\n"))
        if self._log is not None:
            self._log.close()

    def _pass_on(self, line: str) -> None:
        self.last_lines.append(line)
        if self._log is not None:
            self._log.write(line)
        try:
            self._output(self.program.name, line)
        except Exception as error:
            if self._log is not None and not self._output_failed:
                self._log.write(f"[the supervisor] this line could not be shown: {error!r}")
            self._output_failed = True

    def join_reader(self) -> None:
        """Wait until the last lines are read, but not for long: a grandchild may keep the pipe open."""
        if self._reader is not None:
            self._reader.join(1.0)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process is running; SIGKILL also goes to its children."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    @property
    def has_died(self) -> bool:
        """Whether the process has ended. Unlike `runs`, this leaves its exit code, and with it its id."""
        if self._process is None or self._process.returncode is not None:
            return True
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        except ChildProcessError:
            return True


@dataclass(frozen=True)
class Memory:
    """Memory of one or more processes [bytes]."""

    rss: int
    """Resident memory; shared pages count in full."""
    pss: int
    """Resident memory; shared pages are divided among the processes that share them."""

    def __add__(self, other: Memory) -> Memory:
        """Add the memory of both."""
        return Memory(self.rss + other.rss, self.pss + other.pss)


def memory_of(pid: int) -> Memory | None:
    """Memory of a process; ``None`` if it is gone or may not be read (proc(5), smaps_rollup)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    kib = {key: int(rest.split()[0]) for key, _, rest in (x.partition(":") for x in text.splitlines()[1:])}
    return Memory(rss=kib["Rss"] * 1024, pss=kib["Pss"] * 1024) if {"Rss", "Pss"} <= kib.keys() else None
