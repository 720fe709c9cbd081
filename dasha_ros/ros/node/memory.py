"""How a node keeps its memory small: one heap, no message generator, and freed memory returned."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import lru_cache
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of ``malloc.h``."""
_KEPT_BYTES, _LARGE_BYTES = 256 * 2**20, 32 * 2**20
"""Free memory that is kept, and the smallest block that comes from the system: glibc allows no larger one."""


def share_one_heap() -> None:
    """Make all threads of the process allocate from one heap. Call it before threads start.

    glibc gives threads heaps of their own, up to eight per core, and free memory in one is of no use to the
    others: a node with 22 threads grows with each goal until all heaps are full. Separate heaps gain little
    where Python's lock runs one thread at a time. Does nothing with another C library.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def keep_memory() -> None:
    """Keep freed memory for the next picture. Call it before threads start.

    Otherwise glibc takes the memory of each picture from the system and returns it, and the kernel clears
    every page of it: that takes as long as all copies of the picture. For processes that live short.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def skip_message_generator() -> None:
    """Keep the generator of message classes from being loaded. Call it before the first topic is made.

    Every message class imports the whole package `rosidl_generator_py` for one small function. That loads
    the generator and a grammar parser: 4 MB and 25 ms of processor time in each process. The package works
    without its generator if that can't be imported.
    """
    sys.modules.setdefault("rosidl_generator_py.generate_py_impl", None)  # type: ignore[arg-type]


def settle_memory() -> None:
    """Leave what is loaded by now out of later collections, which then take under a millisecond.

    It takes some 40 ms itself. `release_memory` ends it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def tidy_memory() -> None:
    """Collect reference cycles, and what CPython keeps of freed tuples and lists.

    Python does that by itself only when it has a quarter more objects than the time before, which hardly ever
    happens in a node: cycles of ended goals wait, and lists of up to 2,000 freed tuples of each length fill,
    5 MB in all.
    """
    gc.collect()


def release_memory() -> None:
    """Collect reference cycles and return free memory to the system. Takes up to 0.1 s.

    The topics of a node refer to it through their callbacks, and these cycles hold pictures and networks.
    Python collects cycles rarely, and glibc keeps what was freed: without this call a camera driver grew
    by 7 MB with each life cycle.
    """
    gc.unfreeze()
    gc.collect()
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


@lru_cache
def _of_libc(function: str) -> Any:
    """A function of glibc; `None` if the C library has no such function."""
    try:
        return getattr(ctypes.CDLL(None), function)
    except (OSError, AttributeError):
        return None
