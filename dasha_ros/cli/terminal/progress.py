"""Progress of long work: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Report = Callable[[str, int, int], None]
"""Called with the name of what is counted, the number done, and the total."""
LINE_S = 10.0
"""Time between two lines if there is no bar [s]."""


@contextmanager
def progress(console: Console) -> Iterator[Report]:
    """Show the reported progress and the remaining time until the block ends."""
    if not console.is_terminal:
        yield Lines(console.print)
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<12}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        rows: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in rows:
                rows[what] = bars.add_task(what, total=total)
            bars.update(rows[what], completed=done)

        yield report


class Lines:
    """Progress as lines: one at the start and at the end of each task, else one every `LINE_S`."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._began: dict[str, tuple[float, int]] = {}
        self._printed_s = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Print the progress if it is time."""
        now = self._clock()
        is_new = what not in self._began
        began, first = self._began.setdefault(what, (now, done))
        if not is_new and done < total and now - self._printed_s < LINE_S:
            return
        self._printed_s = now
        left = (
            ""
            if done <= first or done >= total
            else f", {_time((now - began) / (done - first) * (total - done))} left"
        )
        self._write(f"{what}: {done} of {total}{left}")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
