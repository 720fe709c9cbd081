"""``dasha explain``: why the agents did what the report of a goal tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import err, fail, out, refused_or_failed


def explain(
    report: Annotated[Path, typer.Argument(help="Folder of a goal's report.")],
    *,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where to write; left out: into the report's folder.")
    ] = None,
    exposure_policy: Annotated[
        str, typer.Option(help="Name or .npz of A^H's policy; left out: the name in the report.")
    ] = "",
    focus_policy: Annotated[
        str, typer.Option(help="Name or .npz of A^L's policy; left out: the name in the report.")
    ] = "",
) -> None:
    """Say why lens and exposure were moved: what counted in the pictures, and the belief before and after.

    Writes explanation.html, the numbers as JSON and CSV, and a figure of each decision.
    """
    from dasha_ros.files.writing import disk_errors
    from dasha_ros.report.explain.explanation import explain as explained_of
    from dasha_ros.report.explain.page import write
    from dasha_ros.report.model import ReportError, load

    try:
        with shared.errors_explained():
            record = load(report)
            home = report if report.is_dir() else report.parent
            target = folder or home
            with disk_errors(ReportError, target):  # before a minute of work
                target.mkdir(parents=True, exist_ok=True)
            explained = []
            with shared.progress() as show:
                for each in explained_of(
                    record, home, exposure_policy=exposure_policy, focus_policy=focus_policy
                ):
                    explained.append(each)
                    show(len(explained), len(record.steps), "decisions")
                page = write(record, home, explained, target, show)
    except ReportError as error:
        fail(str(error), refused_or_failed(error))
    strangers = sum(not each.is_reproduced for each in explained)
    if strangers:
        err().print(
            f"{strangers} of {len(explained)} decisions differ from the recorded ones: the goal had another "
            "policy than the one that is installed (give its file with --exposure-policy or --focus-policy), "
            "or A^H had limits or a frequency of the mains of its own, which a report does not hold",
            style="yellow",
        )
    out().print(str(page))
