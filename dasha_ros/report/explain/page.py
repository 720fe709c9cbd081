"""Writes the explanation of a goal: data, figures, and one page that needs nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from dasha_ros.files.writing import disk_errors, write_whole
from dasha_ros.report.explain.explanation import Explained
from dasha_ros.report.explain.figure import draw
from dasha_ros.report.explain.words import headline, sentences
from dasha_ros.report.figures import save
from dasha_ros.report.model import Record, ReportError

NAME = "explanation"
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
figure { margin: 0; } svg { max-width: 100%; height: auto; }
"""
_INTRODUCTION = (
    "Every decision is made again by the same policy, from what perception read at the time. The veil over "
    "a picture is thin where the latent counted: each of 4 x 7 cells of the early latent is covered in "
    "turn, and the number says what that changes. What the detector found and the object's own detail stay "
    "as they were, so this is the encoder's part alone."
)


def write(
    record: Record,
    folder: Path,
    explained: Sequence[Explained],
    target: Path,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Path:
    """Write ``explanation.html``, ``.json``, ``.csv``, and a figure of each decision as SVG and PNG.

    Args:
        record: The report.
        folder: Its folder.
        explained: All decisions, in their order.
        target: Folder to write into; made if it is not there.
        progress: Told how many figures are drawn.

    Returns:
        The page.

    Raises:
        ReportError: The folder can't be written, or a picture is damaged.
    """
    with disk_errors(ReportError, target):
        target.mkdir(parents=True, exist_ok=True)
        sections = []
        for number, now in enumerate(explained):
            follows = explained[number + 1] if number + 1 < len(explained) else None
            after = follows if follows is not None and follows.step.agent == now.step.agent else None
            svg, _ = save(draw(record, folder, now, after), f"{NAME}-{number:02d}", target)
            sections.append(_section(record, now, svg.read_text(encoding="utf-8")))
            progress(number + 1, len(explained), "figures")
        write_whole(target / f"{NAME}.json", json.dumps(_data(record, explained), indent=1) + "\n")
        write_whole(target / f"{NAME}.csv", _csv(explained))
        page = target / f"{NAME}.html"
        write_whole(page, _page(record, sections))
    return page


def _page(record: Record, sections: Sequence[str]) -> str:
    title = f"Why it moved: {record.goal.what}"
    body = sections or ["<p>The goal ended before the first picture: there is no decision to explain.</p>"]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>\n<p>{escape(_INTRODUCTION)}</p>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _section(record: Record, now: Explained, picture: str) -> str:
    told = " ".join(sentences(record, now))
    return (
        f"<h2>{escape(headline(now))}</h2>\n<p>{escape(told)}</p>\n"
        f"<figure>\n{picture[picture.index('<svg') :]}\n</figure>"
    )


def _data(record: Record, explained: Sequence[Explained]) -> dict[str, Any]:
    return {
        "goal": record.goal.model_dump(),
        "setup": record.setup.model_dump(exclude={"lens"}),
        "decisions": [_one(record, now) for now in explained],
    }


def _one(record: Record, now: Explained) -> dict[str, Any]:
    decided, found = now.decided, now.influence
    return {
        "agent": now.step.agent,
        "picture": now.step.index,
        "decided": decided.value,
        "stopped": decided.done,
        "recorded": now.recorded,
        "reproduced": now.is_reproduced,
        "dioptres": None if decided.dioptres is None else decided.dioptres.tolist(),
        "belief": None if decided.belief is None else decided.belief.tolist(),
        "belief_moved": None if found is None or decided.belief is None else found.belief.tolist(),
        "decision_changed": None if found is None else found.decision.tolist(),
        "sentences": sentences(record, now),
    }


def _csv(explained: Sequence[Explained]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["agent", "picture", "row", "column", "belief_moved", "decision_changed"])
    for now in explained:
        if now.influence is None:
            continue
        for (row, column), changed in np.ndenumerate(now.influence.decision):
            belief = float(now.influence.belief[row, column])
            moved = "" if np.isnan(belief) else belief
            writer.writerow([now.step.agent, now.step.index, row, column, moved, float(changed)])
    return text.getvalue()
