"""Run a node that has a thread, named as one of Fast DDS's timed events, that waits for a lock for ever.

Usage: ``python stuck_node.py MODULE``, for example ``dasha_ros.nodes.lens_driver``.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading

from dasha_ros.ros.transport.middleware_watch import THREAD

PR_SET_NAME = 15
MUTEX_BYTES = 64
"""More than any C library needs; zero bytes are a mutex that is free."""


def wait_for_ever() -> None:
    libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(MUTEX_BYTES)
    libc.prctl(PR_SET_NAME, f"{THREAD}9".encode(), 0, 0, 0)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)


if __name__ == "__main__":
    threading.Thread(target=wait_for_ever, daemon=True).start()
    importlib.import_module(sys.argv[1]).main([])
