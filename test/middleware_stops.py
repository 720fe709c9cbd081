"""Tells a test that failed because Fast DDS waited for itself from one that failed because of this package.

The process to which that happens ends with a sentence of its own (``middleware_watch``), and whoever needs it
can't pass. Such a test is reported as an expected failure with that reason, never as passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SENTENCE = "its middleware has stopped"
REASON = "Fast DDS waited for itself (github.com/eProsima/Fast-DDS/issues/6502) in: "


def excuse(outputs: Iterable[str]) -> str:
    """Why a failed test says nothing about this package, or "".

    Args:
        outputs: What each process of the test wrote.
    """
    said = [line for output in outputs for line in output.splitlines() if SENTENCE in line]
    return REASON + said[0] if said else ""


def waits(process: int) -> str:
    """What the threads of a process wait for: their names and system calls, see proc(5)."""
    told = []
    for task in sorted(Path(f"/proc/{process}/task").glob("*")):
        try:
            told.append(f"{(task / 'comm').read_text().strip()}: {(task / 'syscall').read_text().strip()}")
        except OSError:
            continue
    return "\n".join(told)
