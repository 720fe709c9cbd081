"""Pieces of HTML for the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of plain texts; the first column to the left, the others to the right."""
    rows = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    rows += ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines]
    return '<div class="wide"><table>\n' + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table></div>"


def items(lines: Sequence[str]) -> str:
    """A list of plain texts."""
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"
