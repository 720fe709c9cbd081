"""One page of all parts that needs nothing else: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.html import items
from dasha_ros.benchmark.paper.part import Part
from dasha_ros.benchmark.paper.registry import PAPER
from dasha_ros.benchmark.paper.run import ReportError, read_part, taken_from, why_missing, written_again
from dasha_ros.files.documents import read_text
from dasha_ros.files.errors import FileError
from dasha_ros.files.writing import disk_errors, write_whole

_TITLE = "DASHA against its paper"
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; font-size: .8rem; margin: 1rem 0; }
th, td { padding: .2rem .5rem; border-bottom: 1px solid #ccc; }
td, th { text-align: right; vertical-align: top; } td { white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
table.text td, table.text th { text-align: left; white-space: normal; } .wide { overflow-x: auto; }
p, li, figcaption { max-width: 62rem; }
figure { margin: 1rem 0; } figcaption, .made { font-size: .85rem; color: #444; }
svg { max-width: 100%; height: auto; }
"""


def write_report(folder: Path, parts: Sequence[Part]) -> Path:
    """Write ``report.html`` from the files of the parts.

    Args:
        folder: Where `run.run_part` wrote them.
        parts: All that there are; those without data are listed as missing.

    Returns:
        The page.

    Raises:
        ReportError: The page can't be written; or files of parts are missing or damaged, and the page is
            there without them. The message names them all, and the command that writes each again.
    """
    sections: list[str] = []
    missing: list[str] = []
    contents: list[str] = []
    shown: set[str] = set()
    troubles: list[str] = []
    for part in parts:
        try:
            held = read_part(part, folder)
            if held is None:
                missing.append(f"{part.title}: {why_missing(part, folder)}")
                continue
            sections.append(_section(part, held, folder, troubles))
        except ReportError as error:
            troubles.append(str(error))
            continue
        shown.update(part.shows)
        contents.append(f'<li><a href="#{part.name}">{escape(part.title)}</a></li>')
    missing += troubles
    planned = {what for part in parts for what in part.shows}
    missing += [f"{name}: {what}" for name, what in PAPER.items() if name not in planned | shown]
    page = folder / "report.html"
    with disk_errors(ReportError, folder):
        write_whole(
            page,
            "\n".join(
                [
                    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
                    f"<title>{_TITLE}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_TITLE}</h1>",
                    "<ul>\n" + "\n".join(contents) + "\n</ul>",
                    *sections,
                    "<h2>What is missing on this page</h2>",
                    items(missing or ["nothing"]),
                    "</body>\n</html>\n",
                ]
            ),
        )
    if troubles:
        raise ReportError("\n".join([*troubles, f"{page} has all the rest"]))
    return page


def _section(part: Part, held: Mapping[str, Any], folder: Path, troubles: list[str]) -> str:
    """A part on the page; the figures that it has to go without are added to ``troubles``."""
    figures = []
    for name, caption in held["figures"].items():
        try:
            picture = _svg(folder / f"{name}.svg")
        except FileError as error:
            troubles.append(f"the figure {error}: {written_again(part)}")
            continue
        figures.append(f"<figure>\n{picture}\n<figcaption>{escape(str(caption))}</figcaption>\n</figure>")
    made = "; ".join(f"{key}: {value}" for key, value in held["made"].items())
    with taken_from(part):
        before, after = part.text(held["data"]), part.after(held["data"])
    return "\n".join(
        [
            f'<h2 id="{part.name}">{escape(part.title)}</h2>',
            before,
            *figures,
            after,
            f'<p class="made">{escape(made)}</p>',
        ]
    )


def _svg(path: Path) -> str:
    """The picture in a file, as a page can hold it.

    Raises:
        FileError: There is none, or it was cut short.
    """
    text = read_text(path)
    begin, end = text.find("<svg"), text.rfind("</svg>")
    if begin < 0 or end < begin:
        raise FileError(path, "is not a whole SVG")
    return text[begin:].rstrip()
