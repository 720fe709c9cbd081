"""Programs that the tests of the supervisor run, and what they look at them with."""

from __future__ import annotations

import contextlib
import re
import sys
import textwrap
from pathlib import Path

from ros_harness import wait_for

from dasha_ros.bringup.child_process import Program
from dasha_ros.bringup.supervisor import Backoff, Supervisor

QUICK = Backoff(first_s=0.01, longest_s=0.04, healthy_s=60.0, tries=3)

OBEDIENT = """
    import signal, sys
    signal.signal(signal.SIGINT, lambda *_: (print("interrupted"), sys.exit(0)))
    print("ready")
    while True: signal.pause()
"""
DEAF_TO_INT = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready")
    while True: signal.pause()
"""
DEAF = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    print("ready")
    while True: signal.pause()
"""


def program(name: str, code: str, **options) -> Program:
    return Program(name, (sys.executable, "-c", textwrap.dedent(code)), **options)


class Lines(list):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


def poll_until(supervisor: Supervisor, condition, what: str):
    events = []

    def step():
        events.extend(supervisor.poll())
        return condition(events)

    wait_for(step, what)
    return events


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def node_pids(parent: int) -> dict[str, int]:
    """Process ids of the nodes that are there, by name."""
    found = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            for pid in (task / "children").read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_text()
                if match := re.search(r"dasha_ros\.nodes\.(\w+)", command):
                    found[match.group(1)] = int(pid)
    return found
