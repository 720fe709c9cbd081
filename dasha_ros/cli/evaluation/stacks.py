"""``dasha evaluate --stacks``: policies on pictures that a real lens took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import refuse_unwritable, write
from dasha_ros.files.writing import json_lines

if TYPE_CHECKING:
    from dasha_ros.benchmark.rows import Row
    from dasha_ros.devices.stack.description import Stack


def evaluate_stacks(
    folder: Path,
    names: Sequence[str] | None,
    *,
    tone: str,
    step: float,
    sampled: bool,
    seed: int,
    rows_file: Path | None,
    page: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Play, print tables, and write what was asked for; see the command's options.

    Raises:
        Exit: Something was refused; the sentence is printed.
    """
    from dasha_ros.benchmark.methods import perception_for
    from dasha_ros.benchmark.trials.journal import Journal
    from dasha_ros.benchmark.trials.stacks import StackStudy, play_stacks, stack_methods
    from dasha_ros.learning.evaluation.stacks import stacks_in
    from dasha_ros.optics.tone import Tone

    refuse_unwritable(json_file, markdown_file, rows_file, folder=page)
    curve = next((known for known in get_args(Tone) if known == tone), None)
    if curve is None:
        fail(f"--tone {tone!r}: there are {' and '.join(get_args(Tone))}", Exit.REFUSED)
    made = StackStudy()
    with shared.errors_explained():
        chosen = list(names) if names else shared.default_policies("focus")
        methods = stack_methods(chosen, sampled=(False, True) if sampled else (False,), seed=seed)
        stacks, skipped = stacks_in(folder)
        with (
            Journal(rows_file) as journal,
            shared.progress() as progress,
            shared.until_stopped(lambda: shared.stopped(journal, rows_file)) as end,
        ):
            play_stacks(
                stacks, methods, perception_for(chosen, "focus"), journal, tone=curve, step=step,
                seed=seed, progress=progress, study=made,
            )  # fmt: skip
    shared.listed("skipped", skipped | made.skipped)
    shared.listed("not played", made.refused)
    shared.resumed(journal, rows_file)
    if journal.played:
        _write_results(stacks, journal.played, json_file, markdown_file, page)
    end()


def _write_results(
    stacks: Sequence[Stack],
    played: Sequence[Row],
    json_file: Path | None,
    markdown_file: Path | None,
    page: Path | None,
) -> None:
    from dasha_ros.benchmark.trials.stack_page import write_stack_page
    from dasha_ros.benchmark.trials.summary import stack_rows, stack_tables

    summed = stack_rows(played)
    text = stack_tables(summed)
    out().print(text)
    write(json_file, json_lines(summed))
    write(markdown_file, text)
    if page is not None:
        with shared.errors_explained():
            err().print(f"wrote {write_stack_page(page, stacks, played)}")
