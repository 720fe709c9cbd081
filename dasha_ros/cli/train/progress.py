"""Shows the progress of training: a bar per agent, its evaluations, and Ctrl-C as a request to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from dasha_ros.cli.terminal.console import err

if TYPE_CHECKING:
    from dasha_ros.learning.training.callbacks import RunProgress

    Report: TypeAlias = Callable[[RunProgress], None]
    Stopped: TypeAlias = Callable[[], bool]


def numbers_text(values: dict[str, float]) -> str:
    """Numbers with their names, on one line."""
    return "  ".join(f"{key} {value:.4g}" for key, value in values.items())


@contextmanager
def training_progress() -> Iterator[tuple[Callable[[str], Report], Stopped]]:
    """Show bars; yields the report of each agent, and a function that says whether to stop."""
    import signal
    import threading

    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = err()
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:

        def report_of(agent: str) -> Report:
            def report(progress: RunProgress) -> None:
                if agent not in shown:
                    shown[agent] = bars.add_task(agent, total=progress.total)
                bars.update(shown[agent], completed=min(progress.steps, progress.total))
                if progress.evaluation is not None:
                    numbers = numbers_text({k: v for k, v in progress.evaluation.items() if k != "steps"})
                    best = "  best" if progress.is_best else ""
                    console.print(f"{progress.steps:>8}  {numbers}{best}", highlight=False)

            return report

        try:
            yield report_of, stop.is_set
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
