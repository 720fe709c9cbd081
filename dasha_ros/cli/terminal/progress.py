"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Report = Callable[[str, int, int], None]
"""Called with what is counted, how many are done, and of how many."""
LINE_S = 10.0
"""Time between two lines where no bar can be drawn [s]."""


@contextmanager
def progress(console: Console) -> Iterator[Report]:
    """Shows what is reported, with the time that is left, until the block ends."""
    if not console.is_terminal:
        yield Lines(lambda line: console.print(line, markup=False))
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<12}"),
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
    """Progress as lines: one when something begins or is complete, else one every `LINE_S`."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._began: dict[str, tuple[float, int]] = {}
        self._said = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say how far it is, if it is time."""
        now = self._clock()
        is_new = what not in self._began
        began, first = self._began.setdefault(what, (now, done))
        if not is_new and done < total and now - self._said < LINE_S:
            return
        self._said = now
        left = (
            ""
            if done <= first or done >= total
            else f", {_time((now - began) / (done - first) * (total - done))} left"
        )
        self._write(f"{what}: {done} of {total}{left}")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
