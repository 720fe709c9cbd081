"""What nodes do about the memory that glibc keeps."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ALLOCATES = """
import ctypes, threading
from dasha_ros.ros.node.memory import share_one_heap

share_one_heap()
hold = threading.Barrier(9)

def allocate():
    held = [bytes(5000) for _ in range(100)]
    hold.wait()
    hold.wait()

for _ in range(8):
    threading.Thread(target=allocate).start()
hold.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
hold.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_all_threads_allocate_from_one_heap() -> None:
    told = subprocess.run([sys.executable, "-c", ALLOCATES], capture_output=True, text=True, check=True)
    assert told.stdout.count("<heap nr=") == 1
