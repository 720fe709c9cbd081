"""The wall clock of a process steps while it runs; its steady clock and its waits do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dasha_ros.emulators.wall_clock import WallClock, WallClockError

PROGRAM = """
import sys, threading, time
for line in sys.stdin:
    print(time.time(), time.monotonic(), threading.Event().wait(0.05), flush=True)
"""


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    try:
        return WallClock(tmp_path)
    except WallClockError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("step_s", [-30.0, 30.0])
def test_a_clock_steps_under_a_process(clock: WallClock, step_s: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ahead_s() -> tuple[float, float]:
        """How far the process's wall clock and steady clock are ahead of this process's clocks."""
        before = time.time(), time.monotonic()
        print(file=process.stdin, flush=True)
        told = process.stdout.readline().split()
        assert told[2] == "False"
        return float(told[0]) - before[0], float(told[1]) - before[1]

    with process:
        wall, steady = ahead_s()
        clock.step(step_s)
        later_wall, later_steady = ahead_s()
        process.stdin.close()
    # A process may be kept waiting between two looks, but not for half of a step.
    assert later_wall - wall == pytest.approx(step_s, abs=abs(step_s) / 2)
    assert 0.0 <= steady < abs(step_s) / 2
    assert 0.0 <= later_steady < abs(step_s) / 2


def test_a_missing_compiler_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WallClockError, match="install gcc"):
        WallClock(tmp_path)
