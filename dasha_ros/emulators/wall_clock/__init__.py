"""A wall clock for chosen processes, which can be set while they run, as NTP or a person sets a machine's.

    clock = WallClock(folder)
    subprocess.Popen(command, env={**os.environ, **clock.environment})
    clock.step(-30.0)

The processes load ``shim.c``, which is compiled when it is needed, before their libraries. It adds the offset
to ``CLOCK_REALTIME`` and leaves ``CLOCK_MONOTONIC`` alone. The machine's own clock stays as it is.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("shim.c")


class WallClockError(Exception):
    """The shim can't be compiled; the message says why."""


class WallClock:
    """The wall clock of processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        """Compile the shim.

        Args:
            folder: Folder for the shim and the offset; it must outlive the processes.

        Raises:
            WallClockError: There is no C compiler, or it fails.
            OSError: The folder can't be written.
        """
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise WallClockError("there is no C compiler: install gcc to set the clock of processes")
        shim, offset = folder / "wall_clock.so", folder / "wall_clock.offset"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(shim), str(_SOURCE), "-ldl", "-lpthread"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise WallClockError(f"{_SOURCE} can't be compiled: {made.stderr.strip()}")
        offset.write_bytes(bytes(8))
        with offset.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(shim), "DASHA_WALL_CLOCK": str(offset)}

    @property
    def offset_s(self) -> float:
        """How far this clock is ahead of the machine's [s]."""
        nanoseconds: int = struct.unpack("=q", self._mapped[:])[0]
        return nanoseconds / 1e9

    def step(self, seconds: float) -> None:
        """Set the clock forward or, with a negative number, back."""
        self._mapped[:] = struct.pack("=q", round((self.offset_s + seconds) * 1e9))
