"""A process ends with Python, although a library's own clean-up would never end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, ctypes, sys, threading
from dasha_ros.system.exit import end_within
class Left:
    def __del__(self):
        print("destroyed")
left = Left()
atexit.register(print, "exit functions ran")
threading.Thread(target=print, args=("a thread ended",)).start()
if {hangs}:
    libc = ctypes.CDLL(None)
    # As the global object of a library that waits forever.
    libc.__cxa_atexit(ctypes.cast(libc.pause, ctypes.c_void_p), None, None)
assert end_within({limit_s}, {code})
sys.exit(7)
"""


@pytest.mark.parametrize(
    ("hangs", "limit_s", "given", "code"), [(True, 5.0, 0, 0), (True, 4.5, 3, 3), (False, 3600.0, 0, 7)]
)
def test_python_ends_as_ever_and_then_nothing_keeps_the_process(
    hangs: bool, limit_s: float, given: int, code: int
) -> None:
    program = PROGRAM.format(hangs=hangs, limit_s=limit_s, code=given)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=90
    )
    assert ended.returncode == code, ended.stderr
    assert sorted(ended.stdout.splitlines()) == ["a thread ended", "destroyed", "exit functions ran"]
