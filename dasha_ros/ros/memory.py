"""Memory that a node no longer needs goes back to the machine."""

from __future__ import annotations

import ctypes
import gc
from functools import lru_cache
from typing import Any


def give_back() -> None:
    """Free what only circles of references hold, and return free memory to the system.

    What a node made for its topics refers to itself through their callbacks, pictures and networks included,
    and Python looks for such circles seldom. glibc keeps what was freed, in pieces of several threads' heaps:
    a camera driver grew by 7 MB with each life cycle. Takes up to 0.1 s.
    """
    gc.collect()
    trim = _trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _trim() -> Any:
    """glibc's ``malloc_trim``; `None` with another C library."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
