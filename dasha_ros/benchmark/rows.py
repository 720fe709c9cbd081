"""Trials summed up: one row for each method, and rows summed up over seeds and splits."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from dasha_ros.benchmark.methods import Method

Row = dict[str, Any]
Trial = TypeVar("Trial")

_IDENTITY = ("setting", "policy", "reference_based", "sampled", "arena")


def rows_of(
    done: Iterable[tuple[Method[Any, Any], Trial]],
    numbers: Callable[[Sequence[Trial]], Row],
    *,
    setting: str,
    split: int | None,
    arena: str,
) -> list[Row]:
    """One row for each method, in the order in which they first played.

    - ``setting``, ``arena``, ``split``, ``policy``
    - ``policy_seed`` (``None``: nothing learned), ``sampled``, ``reference_based`` (it saw the truth)

    Args:
        done: Who played, and how it went.
        numbers: What the trials of one method amount to.
        setting: What was drawn.
        split: Split of the views.
        arena: Where.
    """
    groups: dict[int, tuple[Method[Any, Any], list[Trial]]] = {}
    for method, trial in done:
        groups.setdefault(id(method), (method, []))[1].append(trial)
    return [
        {**identity(method, setting=setting, split=split, arena=arena), **numbers(trials)}
        for method, trials in groups.values()
    ]


def identity(method: Method[Any, Any], *, setting: str, split: int | None, arena: str) -> Row:
    """What says in a row who played, and where; see `rows_of`."""
    return {
        "setting": setting,
        "policy": method.policy,
        "reference_based": method.reference_based,
        "policy_seed": method.policy_seed,
        "split": split,
        "sampled": method.sampled,
        "arena": arena,
    }


def summary(rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """Mean and spread over seeds and splits: one row for each setting, policy, arena and way of acting.

    Every key of ``keys`` gets a second one, ``KEY_sd``: the standard deviation between the rows
    (``None`` for a single one). ``runs`` says how many rows were summed up. Of keys that begin with
    ``max_`` the greatest counts. A single row keeps its intervals, ``KEY_low`` and ``KEY_high``.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in _IDENTITY), []).append(row)
    summed = []
    for values, group in groups.items():
        line: Row = dict(zip(_IDENTITY, values, strict=True))
        line |= {"runs": len(group), "episodes": sum(row["episodes"] for row in group)}
        for key in keys:
            numbers = [row[key] for row in group if row.get(key) is not None]
            middle = max if key.startswith("max_") else statistics.fmean
            line[key] = round(middle(numbers), 4) if numbers else None
            line[f"{key}_sd"] = round(statistics.stdev(numbers), 4) if len(numbers) > 1 else None
        if len(group) == 1:
            line |= {key: value for key, value in group[0].items() if key.endswith(("_low", "_high"))}
        if curves := [row["reached"] for row in group if "reached" in row]:
            line["reached"] = [round(statistics.fmean(values), 4) for values in zip(*curves, strict=True)]
        summed.append(line)
    return summed


def mean(values: Sequence[float], digits: int = 3) -> float | None:
    """Rounded for tables; ``None`` of nothing."""
    return round(statistics.fmean(values), digits) if values else None


def share(flags: Iterable[bool]) -> float:
    """How many of the flags are true, 0..1, rounded for tables.

    Raises:
        ZeroDivisionError: There is no flag.
    """
    values = list(flags)
    return round(sum(values) / len(values), 4)
