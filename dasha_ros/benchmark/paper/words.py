"""Numbers as texts of a table."""

from __future__ import annotations

from collections.abc import Mapping

Held = Mapping[str, float | None]
"""An `intervals.Estimate` as it comes back from JSON: ``mean``, ``low``, ``high``."""


def number_text(value: float | Held | None, digits: int = 2) -> str:
    """A number, with its interval if it has one; a dash for none."""
    if value is None:
        return "-"
    if not isinstance(value, Mapping):
        return f"{value:.{digits}f}"
    low, high = value["low"], value["high"]
    mean = number_text(value["mean"], digits)
    return mean if low is None or high is None else f"{mean} ({low:.{digits}f} to {high:.{digits}f})"


def share_text(value: Held | None) -> str:
    """A share in per cent, with its interval if it has one; a dash for none."""
    if value is None:
        return "-"
    mean, low, high = value["mean"], value["low"], value["high"]
    text = f"{100 * (mean or 0.0):.0f} %"
    return text if low is None or high is None else f"{text} ({100 * low:.0f} to {100 * high:.0f})"
