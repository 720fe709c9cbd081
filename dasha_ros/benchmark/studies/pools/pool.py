"""What the driver of a study asks of workers, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dasha_ros.benchmark.studies.task import Answer, Task


class Pool(Protocol):
    """Workers that carry out tasks and send the answers back."""

    @property
    def room(self) -> int:
        """How many more tasks may be started now."""
        ...

    def start(self, task: Task) -> None:
        """Hand a task to a worker.

        Raises:
            StudyError: No worker can be had any more.
        """
        ...

    def answers(self, seconds: float) -> Sequence[tuple[Task, Answer]]:
        """The answers that have come, in any order.

        Args:
            seconds: How long to wait for the first [s].

        Raises:
            StudyError: No worker can be had any more.
        """
        ...
