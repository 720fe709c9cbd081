"""Rows of episodes summed up, with 95 % intervals, and the tables made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.intervals import Estimate, mean_of, share_of

SHARES = ("within_2px", "within_1px", "false_found", "found_another", "detected", "hunting")
MEANS = ("moves_first", "moves_settled", "frames")
_COLUMNS = ("policy", "episodes", *SHARES, *MEANS)
_METHOD = ("setting", "policy", "reference_based", "policy_seed", "sampled", "arena")
NOTE = "\n\\* reference-based: it sees the truth.\n"
"""Below a table with such policies."""
ALL, NEAR, FAR = "all", "near", "far"
"""Objects of stacks: all, those in the nearer half of their stack, and the others."""


def summed(rows: Sequence[Row], unit: Callable[[Row], str], cluster: Callable[[Row], str]) -> list[Row]:
    """One row for each method: means over units, each counting the same, with intervals by cluster.

    - what names the method: ``setting``, ``policy``, ``reference_based``, ``policy_seed``, ``sampled``,
      ``arena``
    - ``episodes``, ``units``, ``clusters``: how many
    - each of `SHARES` that rows have and of `MEANS`, and its interval: ``KEY_low``, ``KEY_high`` (``None``
      with one cluster).
      ``moves_first`` counts episodes that had ever been in focus.

    Args:
        rows: Rows of episodes.
        unit: What counts once, such as an object; the episodes of a unit are averaged.
        cluster: What units have in common, such as their photograph.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in _METHOD), []).append(row)
    result = []
    for identity, mine in groups.items():
        line: Row = dict(zip(_METHOD, identity, strict=True))
        line["episodes"] = len(mine)
        line["units"] = len({unit(row) for row in mine})
        line["clusters"] = len({cluster(row) for row in mine})
        for key in (key for key in SHARES if key in mine[0]):
            line |= _named(key, share_of(_clustered(mine, key, unit, cluster)), 4)
        for key in MEANS:
            known = [row for row in mine if row[key] is not None]
            line |= _named(key, mean_of(_clustered(known, key, unit, cluster)) if known else None, 3)
        result.append(line)
    return result


def stack_rows(rows: Sequence[Row]) -> list[Row]:
    """`summed` over objects by stack: with ``objects`` = all, near or far."""
    found = []
    for objects, wanted in ((ALL, {True, False}), (NEAR, {True}), (FAR, {False})):
        chosen = [row for row in rows if row["near"] in wanted]
        lines = summed(
            chosen, lambda row: f"{row['stack']}/{row['object_number']}", lambda row: str(row["stack"])
        )
        found += [{**line, "objects": objects} for line in lines]
    return found


def stack_tables(rows: Sequence[Row]) -> str:
    """Markdown of `stack_rows`: a table for each setting and each kind of objects."""
    text = []
    for setting in dict.fromkeys(str(row["setting"]) for row in rows):
        for objects in (ALL, NEAR, FAR):
            mine = [row for row in rows if row["setting"] == setting and row["objects"] == objects]
            if not mine:
                continue
            held = f"{mine[0]['units']} objects of {mine[0]['clusters']} stacks"
            table = markdown([shown(row) for row in mine], _COLUMNS)
            text.append(f"### {setting}, {objects} objects ({held})\n\n{table}")
    note = NOTE if any(row["reference_based"] for row in rows) else ""
    return "\n".join(text) + note


def shown(row: Row) -> Row:
    """The row as tables show it: the policy's name says whether it sees the truth (`NOTE`) and is sampled."""
    name = (
        row["policy"] + ("\\*" if row["reference_based"] else "") + (" (sampled)" if row["sampled"] else "")
    )
    return {**row, "policy": name}


def _clustered(
    rows: Iterable[Row], key: str, unit: Callable[[Row], str], cluster: Callable[[Row], str]
) -> dict[str, list[float]]:
    """Means of units, by cluster."""
    units: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        units.setdefault((cluster(row), unit(row)), []).append(float(row[key]))
    clusters: dict[str, list[float]] = {}
    for (name, _), values in units.items():
        clusters.setdefault(name, []).append(sum(values) / len(values))
    return clusters


def _named(key: str, estimate: Estimate | None, digits: int) -> Row:
    if estimate is None:
        return {key: None, f"{key}_low": None, f"{key}_high": None}

    def short(value: float | None) -> float | None:
        return None if value is None else round(value, digits)

    return {
        key: short(estimate.mean),
        f"{key}_low": short(estimate.low),
        f"{key}_high": short(estimate.high),
    }
