"""Writes the data of the comparison with the paper, and one page that needs nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from dasha_ros.benchmark.paper.figures import draw_recall
from dasha_ros.benchmark.paper.recall import MIN_SCORE, Recall, summed_up
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate
from dasha_ros.files.writing import disk_errors, write_whole

NOT_SHOWN = (
    "Table 1: time and steps of autofocus beside the phase shift method and TEN",
    "Figure 3: histograms of the exposure that A^H sets, and of built-in auto exposure",
    "Figure 4: learning curves of the competing methods",
    "Figure 5: a strip of pictures whose detection certainty rises",
    "Figure 6: three and four objects 0.5 m apart, all and one by its label",
    "Figure 7: PCA of the latents over exposure and focus",
    "Figure 8: lens position and exposure over light and aperture",
    "Figure 9: pictures before and after, indoors and outdoors",
)
"""What of the paper the page does not show."""
_EXPLAINED = (
    "A detector that nobody changed looks at the objects of the shipped scenes in the digital twin. "
    "<em>Off</em>: one picture with the camera's factory exposure, and the lens out of focus by what the "
    "axis says. <em>On</em>: both agents act first, with that detector in their loop. Recall is the share of "
    f"pictures in which the object's label has a score of at least {MIN_SCORE:g}. Intervals are 95 %, by "
    "photograph: pictures of one photograph are no independent draws."
)
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .7rem; border-bottom: 1px solid #ccc; }
td { text-align: right; } td:first-child, th:first-child { text-align: left; }
svg { max-width: 100%; height: auto; }
"""


class ReportError(ValueError):
    """The results can't be written; the message says why."""


def write_report(
    folder: Path, rows: Sequence[Row], missing: Mapping[str, str], made: Mapping[str, str]
) -> Path:
    """Write ``recall.json``, ``recall.csv``, ``recall.svg``, ``recall.png`` and ``report.html``.

    Args:
        folder: Exists; files of an older report are replaced.
        rows: See `recall.recall_rows`; at least one.
        missing: Detectors that could not be loaded, and why.
        made: How the numbers were made: command, versions, machine.

    Returns:
        The page.

    Raises:
        ReportError: The folder can't be written.
    """
    found = summed_up(rows)
    data = {"made": dict(made), "missing": dict(missing), "recall": [asdict(r) for r in found]}
    page = folder / "report.html"
    with disk_errors(ReportError, folder):
        write_whole(folder / "recall.json", json.dumps(data, indent=1) + "\n")
        write_whole(folder / "recall.csv", _csv(found))
        drawing, _ = draw_recall(found, folder)
        write_whole(page, _page(found, missing, made, drawing.read_text(encoding="utf-8")))
    return page


def _csv(found: Sequence[Recall]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    bounds = [f"{key}{end}" for key in ("off", "on") for end in ("", "_low", "_high")]
    writer.writerow(["detector", "illuminance_lx", "defocus_d", "episodes", *bounds])
    for r in found:
        numbers = (r.off.mean, r.off.low, r.off.high, r.on.mean, r.on.low, r.on.high)
        writer.writerow([r.detector, r.illuminance_lx, r.defocus_d, r.episodes, *numbers])
    return text.getvalue()


def _page(found: Sequence[Recall], missing: Mapping[str, str], made: Mapping[str, str], drawing: str) -> str:
    title = "DASHA against its paper: recall gained"
    absent = [f"{name}: {why}" for name, why in missing.items()] or ["none"]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>",
            f"<p>{_EXPLAINED}</p>",
            "<h2>Recall over light and defocus</h2>",
            drawing[drawing.index("<svg") :],
            "<h2>Averages</h2>",
            _table([r for r in found if r.defocus_d is None]),
            "<h2>Detectors that were missing</h2>",
            _items(absent),
            "<h2>What of the paper is not on this page</h2>",
            _items(NOT_SHOWN),
            "<h2>How the numbers were made</h2>",
            _items([f"{key}: {value}" for key, value in made.items()]),
            "</body>\n</html>\n",
        ]
    )


def _table(found: Sequence[Recall]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("detector", "light", "episodes", "off", "on", "on / off"))
    lines = []
    for r in found:
        light = "all" if r.illuminance_lx is None else f"{r.illuminance_lx:g} lx"
        ratio = f"{r.on.mean / r.off.mean:.1f}" if r.off.mean else "off finds nothing"
        cells = (escape(r.detector), light, str(r.episodes), _percent(r.off), _percent(r.on), ratio)
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table>\n<tr>{head}</tr>\n" + "\n".join(lines) + "\n</table>"


def _percent(estimate: Estimate) -> str:
    mean = f"{100 * estimate.mean:.0f} %"
    if estimate.low is None or estimate.high is None:
        return f"{mean} (one photograph: no interval)"
    return f"{mean} ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"


def _items(lines: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"
