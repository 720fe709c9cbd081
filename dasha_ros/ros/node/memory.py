"""A node takes no more memory than it needs, and gives back what it needs no longer."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import lru_cache
from typing import Any

_M_ARENA_MAX = -8
"""Of ``malloc.h``."""


def share_one_heap() -> None:
    """Have all threads of the process allocate from one heap; to be called before there are many.

    glibc gives threads heaps of their own, up to eight for each core, and what lies free in one is of no use
    to the others: a node of 22 threads grows with its goals until all of them are full. Where Python's lock
    lets one thread run at a time there is little to gain by them. Another C library has its own ways.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def leave_out_generator() -> None:
    """Do not load the generator of message classes; to be called before the first topic is made.

    Every class imports the whole package `rosidl_generator_py` for one small function. That loads the
    generator and a parser of grammars: 4 MB and 25 ms of processor time in each process. The package works
    without its generator where that can't be imported.
    """
    sys.modules.setdefault("rosidl_generator_py.generate_py_impl", None)  # type: ignore[arg-type]


def give_back() -> None:
    """Free what only circles of references hold, and return free memory to the system.

    What a node made for its topics refers to itself through their callbacks, pictures and networks included,
    and Python looks for such circles seldom. glibc keeps what was freed, in pieces of several threads' heaps:
    a camera driver grew by 7 MB with each life cycle. Takes up to 0.1 s.
    """
    gc.collect()
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


@lru_cache
def _of_libc(function: str) -> Any:
    """A function of glibc's; `None` with another C library that lacks it."""
    try:
        return getattr(ctypes.CDLL(None), function)
    except (OSError, AttributeError):
        return None
