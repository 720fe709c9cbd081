"""Tasks for tests of a study's workers: small, and some of them fatal."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.benchmark.studies.task import Result, StudyError, Task


@dataclass(frozen=True)
class Number:
    value: int


def square(inputs: Number, carried: str) -> Result:
    return Result([{"square": inputs.value**2, "third": inputs.value / 3}], {"bytes": bytes([inputs.value])})


def fail(inputs: Number, carried: str) -> Result:
    raise StudyError(f"{inputs.value} can't be done")


def crash(inputs: Number, carried: str) -> Result:
    raise ZeroDivisionError("by nothing")


def die(inputs: Number, carried: str) -> Result:
    """Count the attempt, and kill the worker."""
    _count(carried)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_once(inputs: Number, carried: str) -> Result:
    """Kill the worker the first time; a square the second time."""
    if _count(carried) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(inputs, carried)


def wait_for(inputs: Number, carried: str) -> Result:
    """Tell that it began, then wait until a file is there that the test writes."""
    _count(f"{carried}.began")
    while not Path(carried).exists():
        time.sleep(0.01)
    return square(inputs, carried)


def _count(file: str) -> int:
    with Path(file).open("a") as attempts:
        attempts.write(f"{os.getpid()}\n")
    return len(Path(file).read_text().splitlines())


def squares(count: int) -> list[Task]:
    return [Task(f"square of {i}", square, Number(i)) for i in range(count)]
