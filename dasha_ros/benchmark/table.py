"""Rows as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SHARES = frozenset(
    {
        "success",
        "within_2px",
        "within_1px",
        "false_found",
        "found_another",
        "detected",
        "hunting",
        "findable",
        "within_2px_findable",
        "well_exposed",
        "good_peak",
        "possible",
        "reached_possible",
        "redder_near",
        "two_pictures",
        "one_picture",
        "grey_alone",
        "all_patches",
    }
)
"""Columns shown in per cent."""
TITLES = {
    "moves_first": "moves to first in focus",
    "moves_settled": "moves to the end",
    "within_2px": "within 2 px",
    "reached_possible": "well exposed where possible",
    "within_1px": "within 1 px",
    "decide_ms": "ms a decision",
    "findable": "object can be found",
    "within_2px_findable": "of these: within 2 px",
    "moves_settled_findable": "of these: moves to the end",
}
"""Titles of columns whose keys don't say it; others are titled by their key."""


def markdown(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """A Markdown table, numbers to the right.

    Args:
        rows: Same keys in all rows; a missing value or ``None`` shows as a dash. A value with ``KEY_low`` and
            ``KEY_high`` is followed by that interval.
        columns: Which keys, in order; empty: those of the first row.

    Returns:
        Lines with a final newline; empty without rows.
    """
    if not rows:
        return ""
    keys = list(columns) or list(rows[0])
    cells = [[_text(key, row.get(key)) + _interval(row, key) for key in keys] for row in rows]
    numeric = [
        all(row.get(key) is None or isinstance(row.get(key), int | float) for row in rows) for key in keys
    ]
    titles = [TITLES.get(key, key.replace("_", " ")) for key in keys]
    widths = [max(len(titles[i]), 4, *(len(line[i]) for line in cells)) for i in range(len(keys))]
    ruler = ["-" * (w - 1) + ":" if right else "-" * w for w, right in zip(widths, numeric, strict=True)]
    lines = [titles, ruler, *cells]
    return "".join(
        "| "
        + " | ".join(
            text.rjust(w) if right else text.ljust(w)
            for text, w, right in zip(line, widths, numeric, strict=True)
        )
        + " |\n"
        for line in lines
    )


def _interval(row: Mapping[str, Any], key: str) -> str:
    ends = row.get(f"{key}_low"), row.get(f"{key}_high")
    if row.get(key) is None or None in ends:
        return ""
    low, high = (_text(key, float(end)).removesuffix(" %") for end in ends if end is not None)
    return f" [{low}, {high}]"


def _text(key: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | str | int):
        return str(value).replace("|", "\\|")
    if key in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:.2f}"
