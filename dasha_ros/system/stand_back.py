"""Programs that only look on leave the processor to those who need it.

Linux shares the processor between sessions first, and heeds `nice` only within one (``sched_autogroup``, see
autogroup in sched(7)). So the program goes on in a session of its own, which as a whole stands back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

LEAST = 19
"""The lowest priority."""
_AUTOGROUP = Path("/proc/self/autogroup")
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT)
_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent ends."""


def stand_back(niceness: int) -> None:
    """Go on with a lower priority; call it before the program has started any thread.

    Where Linux groups processes by session, the program goes on in a child. This process then only passes
    signals on, stops with Ctrl-Z as one, and ends with the child's exit code. A child whose parent was killed
    gets SIGTERM.

    Args:
        niceness: What to add to the process's own `nice` value, 0 to 19.
    """
    os.nice(niceness)
    if threading.active_count() > 1 or not _AUTOGROUP.exists():
        return
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A signal that comes before somebody listens waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    if child := os.fork():
        _pass_on_to(child)
    os.setsid()
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text(str(LEAST))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    if os.getppid() != parent:
        os._exit(1)


def _pass_on_to(child: int) -> None:
    """Pass signals on until the child ends, and end as it did."""

    def passed_on(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    def paused(_number: int, _: FrameType | None) -> None:
        os.kill(child, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)

    for number in _PASSED_ON:
        signal.signal(number, passed_on)
    signal.signal(signal.SIGTSTP, paused)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    # As a shell tells of a process that a signal ended.
    os._exit(code if code >= 0 else 128 - code)
