"""Hands the tasks of a study to workers and keeps their results. Only the driver writes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dasha_ros.benchmark.studies.pools.pool import Pool
from dasha_ros.benchmark.studies.task import Died, Failure, Result, Task

LOOK_S = 0.5
"""Interval at which progress is told while nothing ends [s]."""
ATTEMPTS = 3
"""How often a task is begun whose worker dies."""


class Keeper(Protocol):
    """Where the driver writes results, and finds those of earlier runs."""

    def __contains__(self, key: str) -> bool:
        """Whether the result of a task is there, whole."""
        ...

    def put(self, key: str, result: Result) -> None:
        """Write the result of a task.

        Raises:
            StudyError: The disk is full.
        """
        ...


@dataclass
class Summary:
    """How a study went."""

    resumed: int
    """Tasks whose results were there before."""
    computed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Titles of tasks that have no result, and why."""
    deaths: int = 0
    """How often a worker ended before its answer came."""


def drive(
    tasks: Sequence[Task],
    pool: Pool,
    results: Keeper,
    *,
    attempts: int = ATTEMPTS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Summary:
    """Compute what is missing of a study.

    A task that fails is not tried again, because it would fail again. A task whose worker dies is, up to
    ``attempts`` times; no other task suffers.

    Args:
        tasks: The tasks; of equal ones, one is done.
        pool: The workers.
        results: Where results are kept, and those of earlier runs are.
        attempts: How often a task is begun at most.
        progress: Told how many tasks are done, of how many.

    Raises:
        StudyError: The disk is full, or no worker can be had any more. What was computed is kept.
    """
    distinct = {task.key: task for task in tasks}
    waiting = deque(task for key, task in distinct.items() if key not in results)
    summary = Summary(resumed=len(distinct) - len(waiting))
    begun: Counter[str] = Counter()
    flying = 0
    progress(summary.resumed, len(distinct))
    while waiting or flying:
        while waiting and pool.room > 0:
            task = waiting.popleft()
            begun[task.key] += 1
            pool.start(task)
            flying += 1
        for task, answer in pool.answers(LOOK_S):
            flying -= 1
            if isinstance(answer, Failure):
                summary.failed[task.title] = answer.reason
            elif not isinstance(answer, Died):
                results.put(task.key, answer)
                summary.computed += 1
            else:
                summary.deaths += 1
                if begun[task.key] < attempts:
                    # At the end: if it is the task that kills workers, the others come first.
                    waiting.append(task)
                else:
                    summary.failed[task.title] = (
                        f"its worker died {attempts} times (is the memory full?), the last time: "
                        f"{answer.reason}"
                    )
        progress(summary.resumed + summary.computed + len(summary.failed), len(distinct))
    return summary
