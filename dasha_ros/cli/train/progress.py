"""Shows the progress of training: a bar per agent, its evaluations, and signals as a request to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from dasha_ros.cli.terminal.console import err
from dasha_ros.system.signals import signals_collected

if TYPE_CHECKING:
    from dasha_ros.learning.training.callbacks import RunProgress

    Report: TypeAlias = Callable[[RunProgress], None]


def numbers_text(values: dict[str, float]) -> str:
    """Numbers with their names, on one line."""
    return "  ".join(f"{key} {value:.4g}" for key, value in values.items())


@contextmanager
def training_progress() -> Iterator[tuple[Callable[[str], Report], list[int]]]:
    """Show bars; yields the report of each agent, and a list of the signals that came and ask to stop."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown: dict[str, TaskID] = {}
    is_shown = sys.stderr.isatty()
    with signals_collected() as signals, Progress(*columns, console=console, disable=not is_shown) as bars:

        def report_of(agent: str) -> Report:
            def report(progress: RunProgress) -> None:
                if agent not in shown:
                    shown[agent] = bars.add_task(agent, total=progress.total)
                bars.update(shown[agent], completed=min(progress.steps, progress.total))
                if progress.evaluation is not None:
                    numbers = numbers_text({k: v for k, v in progress.evaluation.items() if k != "steps"})
                    best = "  best" if progress.is_best else ""
                    console.print(f"{progress.steps:>8}  {numbers}{best}")

            return report

        yield report_of, signals
