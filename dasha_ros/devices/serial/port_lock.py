"""Tells whether the process behind an emulated port is still alive.

An emulated lens is a link to a pseudo-terminal. A process that is killed with SIGKILL leaves the
link behind, and the kernel gives the terminal's number to whoever opens the next one: a shell,
perhaps, into which a lens driver would then type commands. So an emulator holds a lock beside its
link while it lives. The kernel releases the lock when the process ends, however it ends. Ports
without a lock file (real ones, a bridge to another computer) are not affected.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_LOOKS = 5
_LOOK_S = 0.02
"""A driver that checks the lock holds it for microseconds, so `claim` tries again."""


def lock_path(port: Path) -> Path:
    """The file beside ``port`` that its emulator keeps locked."""
    return port.with_name(port.name + ".lock")


def claim(port: Path) -> int:
    """Lock ``port`` for this process; returns what `release` takes.

    Raises:
        FileExistsError: Another process has it.
    """
    handle = os.open(lock_path(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    for look in range(_LOOKS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if look == _LOOKS - 1:
                os.close(handle)
                raise FileExistsError(f"another process serves {port}") from error
            time.sleep(_LOOK_S)
        else:
            break
    return handle


def release(port: Path, handle: int) -> None:
    """Give ``port`` back."""
    lock_path(port).unlink(missing_ok=True)
    os.close(handle)


def is_abandoned(port: Path) -> bool:
    """Whether an emulator made ``port`` and was killed since."""
    try:
        handle = os.open(lock_path(port), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)
