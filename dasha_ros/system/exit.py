"""How a process ends that has done all it had to do."""

from __future__ import annotations

import ctypes
import math
import time

_SIGEV_THREAD = 2


class _Event(ctypes.Structure):
    """``struct sigevent`` of glibc (timer_create(2), sigevent(3type)), which has 64 bytes."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 32),
    )


class _Times(ctypes.Structure):
    """``struct itimerspec``: the timer rings once."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def end_within(seconds: float, code: int) -> bool:
    """End this process after a while, whatever keeps it; return whether the C library can.

    After Python, the C library destroys the global objects of all libraries, while threads of theirs still
    run. On a busy computer one of them then may wait forever. No part of Python is left to notice that, so
    the timer, its thread and what it calls are the C library's own.

    Args:
        seconds: How long the process may take to exit [s].
        code: Its exit code if it takes longer, from 0 to 255.
    """
    libc, timer = ctypes.CDLL(None), ctypes.c_void_p()
    if not hasattr(libc, "timer_create"):
        return False
    event = _Event(notify=_SIGEV_THREAD, value=code, function=ctypes.cast(libc._exit, ctypes.c_void_p).value)
    fraction, whole = math.modf(seconds)
    times = _Times(value_s=int(whole), value_ns=int(1e9 * fraction))
    return not (
        libc.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer))
        or libc.timer_settime(timer, 0, ctypes.byref(times), None)
    )
