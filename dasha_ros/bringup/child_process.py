"""One program as a child process: it is started, its output is read to the last line, and it gets signals.

Knows nothing of ROS: a program is a command line.
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
"""Called with a program's name and one line of its output, from a thread of that program."""

LONGEST_LINE = 1 << 16
"""A line is cut there [bytes]: a program that never ends its line must not fill the memory."""


@dataclass(frozen=True)
class Program:
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of the supervisor's own."""
    respawn: bool = True
    stage: int = 0
    """When it is ended: all programs of a lower stage are gone by then."""
    final_codes: frozenset[int] = frozenset()
    """Exit codes after which it is not started again: it would end the same way."""


class LogFile:
    """Lines of a program in a file. What a disk does must not stop the program's output."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, line: str) -> None:
        """Append a line. A folder that is gone is made again; a line that can't be written is left out."""
        with contextlib.suppress(OSError):
            self._open().write(line.encode(errors="replace") + b"\n")

    def begin(self) -> None:
        """Make the file: one that is empty tells that nothing was said."""
        with contextlib.suppress(OSError):
            self._open()

    def _open(self) -> IO[bytes]:
        if self._file is None or not self._path.exists():
            self.close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what a full disk refused must not be tried again with each further line.
            self._file = self._path.open("ab", buffering=0)
        return self._file

    def close(self) -> None:
        """Close the file, whatever the disk says to that."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class ChildProcess:
    """One program and the process that it currently is.

    Args:
        program: What to run.
        output: Gets every line. What it raises is written to the log, once, and harms nothing.
        log: File of the lines.
        starter: Starts the processes, in one thread that lives as long as they may.
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
        """Process id, `None` when it was never started."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative the number of the signal that killed it; `None` while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def runs(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: The command can't be executed.
        """
        try:
            # The kernel sends the signal of --pdeathsig when the *thread* ends that started the process.
            self._process = process = self._starter.submit(self._popen).result()
            name = f"output of {self.program.name}"
            self._reader = threading.Thread(target=self._read, args=(process.stdout,), name=name, daemon=True)
            self._reader.start()
        except RuntimeError as error:
            # No more threads; and without a reader the program would stop at a full pipe.
            self.signal(signal.SIGKILL)
            raise OSError(errno.EAGAIN, str(error)) from error

    def _popen(self) -> subprocess.Popen[bytes]:
        # Its own session: Ctrl-C in the terminal reaches the supervisor alone, which
        # then ends everyone in order. setpriv: no orphan keeps a camera or a lens
        # when the supervisor itself is killed.
        setpriv = shutil.which("setpriv")
        guard = (setpriv, "--pdeathsig", "INT", "--") if setpriv else ()
        # The pipe is read as UTF-8, whatever the user's terminal takes.
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
        """Read until the program ends, whatever becomes of its lines: a full pipe would stop it."""
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
        """Wait a moment until the last lines are read; a grandchild may hold the pipe open."""
        if self._reader is not None:
            self._reader.join(1.0)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process runs; SIGKILL goes to its children, too."""
        if self._process is None or not self.runs:
            return
        with contextlib.suppress(OSError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


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


def memory_of(pid: int) -> Memory | None:
    """Memory of a process, ``None`` when it is gone or not ours to read (proc(5), smaps_rollup)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    kib = {key: int(rest.split()[0]) for key, _, rest in (x.partition(":") for x in text.splitlines()[1:])}
    return Memory(rss=kib["Rss"] * 1024, pss=kib["Pss"] * 1024) if {"Rss", "Pss"} <= kib.keys() else None
