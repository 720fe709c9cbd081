"""Run a node, stop its middleware's thread of timed events for good, and print the code it ends with.

It starts the node itself, because Linux lets a process stop the threads of its children only. Usage:
``python stopped_node.py MODULE [ARGUMENTS]``.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from dasha_ros.ros.transport.middleware_watch import wakes_of

PTRACE_SEIZE, PTRACE_INTERRUPT, WAIT_FOR_THREADS = 0x4206, 0x4207, 0x40000000
KNOWN = 15
"""The thread is stopped after so many seconds in which it woke."""


def lively_thread(pid: int) -> int:
    """The thread of timed events, once it has woken for long."""
    before: dict[int, int] = {}
    lively: Counter[int] = Counter()
    while not lively or max(lively.values()) < KNOWN:
        time.sleep(1.0)
        wakes = wakes_of(Path(f"/proc/{pid}/task"))
        lively.update(thread for thread, count in wakes.items() if count != before.get(thread))
        before = wakes
    return lively.most_common(1)[0][0]


def main() -> None:
    node = subprocess.Popen([sys.executable, "-m", *sys.argv[1:]])
    thread = lively_thread(node.pid)
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if ptrace(request, thread, None, None) != 0:
            node.kill()
            sys.exit(f"can't stop a thread: {os.strerror(ctypes.get_errno())}")
    print("stopped", flush=True)
    # Who stopped a thread has to fetch its end, too: the process ends only then.
    while True:
        number, status = os.waitpid(-1, WAIT_FOR_THREADS)
        if number == node.pid and not os.WIFSTOPPED(status):
            print(f"the node ended with {os.waitstatus_to_exitcode(status)}", flush=True)
            return


if __name__ == "__main__":
    main()
