"""A task of a study: a pure function of its inputs, which any process on any machine may carry out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

from dasha_ros import __version__
from dasha_ros.benchmark.rows import Row

FORMAT = 1
"""Raise it when a task comes to compute something else from the same inputs: older results are then not
taken."""


class StudyError(ValueError):
    """A study that can't be begun or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Result:
    """What a task computed: equal for equal inputs, bit for bit."""

    rows: list[Row]
    files: dict[str, bytes] = field(default_factory=dict)
    """Content of small files by name, such as a policy."""
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Cells of a percept cache, by field."""


@dataclass(frozen=True)
class Failure:
    """A task that would fail anywhere, however often it is tried."""

    reason: str


@dataclass(frozen=True)
class Died:
    """A task whose worker ended before its answer came: another worker may succeed."""

    reason: str


Answer = Result | Failure | Died


@dataclass(frozen=True)
class Task:
    """One part of a study."""

    title: str
    """Names it for people."""
    work: Callable[[Any, Any], Result]
    """A function of a module, which every worker can import."""
    inputs: Any
    """A dataclass of plain values: all that the result depends on, files by their digest."""
    carried: Any = None
    """What else the function is given, and the result does not depend on: where an input is found."""

    @property
    def key(self) -> str:
        """Names the result: equal for equal work, inputs and versions of the package."""
        what = f"{self.work.__module__}.{self.work.__qualname__}", FORMAT, __version__, asdict(self.inputs)
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]


def carry_out(task: Task) -> Result | Failure:
    """Do a task in this process, and turn every error into a sentence."""
    try:
        return task.work(task.inputs, task.carried)
    except Exception as error:  # a task may fail in any way, and costs itself alone
        known = type(error).__module__.startswith("dasha_ros.")
        return Failure(str(error) if known else f"{type(error).__name__}: {error}")
