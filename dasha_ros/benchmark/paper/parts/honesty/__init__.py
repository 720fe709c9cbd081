"""What the paper leaves open, what was assumed, what the twin lacks, and which claims were not reproduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from dasha_ros.benchmark.paper import registry
from dasha_ros.benchmark.paper.html import items
from dasha_ros.benchmark.paper.part import Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.honesty.documents import readings, twin_limits, unmeasured
from dasha_ros.benchmark.paper.parts.table_1.claims import wide_band
from dasha_ros.benchmark.paper.run import ReportError, read_part, taken_from
from dasha_ros.benchmark.rows import Row

NAME = "honesty"
VERDICTS = {True: "reproduced", False: "not reproduced", None: "not comparable"}
"""What came of a claim, in words."""


def compute(context: Context) -> Data:
    """Ask every part whose data is there what it says of the paper's claims.

    Raises:
        PartMissingError: The data of parts is damaged; the message names them all.
    """
    claims: list[Row] = []
    wide: list[str] = []
    unasked: list[str] = []
    damaged: list[str] = []
    for part in registry.parts():
        if part.name == NAME:
            continue
        try:
            held = read_part(part, context.folder)
            if held is None:
                unasked.append(part.title)
                continue
            with taken_from(part):
                claims += [{"part": part.name, **asdict(claim)} for claim in part.claims(held["data"])]
                if part.name == "table_1":
                    wide = wide_band(held["data"])
        except ReportError as error:
            damaged.append(str(error))
    if damaged:
        raise PartMissingError("; ".join(damaged))
    return {"claims": claims, "wide": wide, "unasked": unasked}


def _draw(data: Data, folder: Path) -> Sequence[Drawing]:
    return ()


def _text(data: Data) -> str:
    lines = sorted(data["claims"], key=lambda claim: list(VERDICTS).index(claim["holds"]), reverse=True)
    lines.sort(key=lambda claim: claim["holds"] is not False)
    head = ("", "where", "the paper says", "here")
    rows = [(VERDICTS[c["holds"]], c["where"], c["says"], c["found"]) for c in lines]
    parts = ["<h3>Claims</h3>", _texts(head, rows)]
    parts += ["<h3>Claims for which nothing was measured</h3>", _texts(*unmeasured())]
    if data["unasked"]:
        parts += ["<p>Not asked, because they were not computed:</p>", items(data["unasked"])]
    if data["wide"]:
        parts += ["<h3>Where the paper's formulation ends</h3>", items(data["wide"])]
    parts += ["<h3>What the twin does not model</h3>", items(twin_limits())]
    titles, read = readings()
    parts += ["<h3>What the paper leaves open, and how it is read here</h3>", _texts(titles, read)]
    return "\n".join(parts)


def _texts(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of sentences, which may wrap."""
    rows = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    rows += ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines]
    return '<table class="text">\n' + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


PART = Part(
    name=NAME,
    title="What is open, assumed, missing, and not reproduced",
    place=200,
    shows=(),
    compute=compute,
    rows=lambda data: data["claims"],
    draw=_draw,
    text=_text,
)
