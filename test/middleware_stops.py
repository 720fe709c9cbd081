"""Tells a test that failed beside a process in which Fast DDS waited for itself from other failures.

The process to which that happens ends with a sentence of its own (``middleware_watch``), and whoever needs it
can't pass. Such a test is reported as an expected failure with that reason, never as passed. It happens
about once in thirty runs of all graphs. If it happens to more than `MOST` processes of a run, a change of
ours makes it likelier, and the run fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

MOST = 2
SENTENCE = "its middleware has stopped"
REASON = "Fast DDS waited for itself (github.com/eProsima/Fast-DDS/issues/6502) in: "


def excuse(outputs: Iterable[tuple[int, str]]) -> str:
    """Why a failed test says nothing about this package, or "".

    Args:
        outputs: Number of each process of the test, and what it wrote.
    """
    said = [(pid, line) for pid, output in outputs for line in output.splitlines() if SENTENCE in line]
    return f"{REASON}process {said[0][0]}: {said[0][1]}" if said else ""


def too_many(reasons: Iterable[str]) -> bool:
    """Whether a run's expected failures name more processes than stop by themselves."""
    return len({reason for reason in reasons if reason.startswith(REASON)}) > MOST


def waits(process: int) -> str:
    """What the threads of a process wait for: their names and system calls, see proc(5)."""
    told = []
    for task in sorted(Path(f"/proc/{process}/task").glob("*")):
        try:
            told.append(f"{(task / 'comm').read_text().strip()}: {(task / 'syscall').read_text().strip()}")
        except OSError:
            continue
    return "\n".join(told)
