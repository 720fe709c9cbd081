"""Tells users which of their pictures were used, and why the others were not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dasha_ros.files.errors import shown
from dasha_ros.learning.dataset.scenes.planes import Unreadable

MOST_SHOWN = 5
"""Number of reasons that an error names; a summary names all."""


def summary(used: int, skipped: Mapping[str, str]) -> Iterable[str]:
    """A line of counts, then a line for each skipped picture."""
    yield f"used {used} picture{'s' * (used != 1)}, skipped {len(skipped)}" + (":" if skipped else "")
    for name, why in skipped.items():
        yield f"skipped {shown(name)}: {why}"


def advice(skipped: Mapping[str, str]) -> str:
    """Why nothing is left, and what to do: other pictures, or the same ones in a form that can be read."""
    if not skipped:
        return "it names no pictures: add some"
    reasons = "; ".join(f"{shown(name)}: {why}" for name, why in list(skipped.items())[:MOST_SHOWN])
    if len(skipped) > MOST_SHOWN:
        reasons += f"; and {len(skipped) - MOST_SHOWN} more"
    if all(isinstance(why, Unreadable) for why in skipped.values()):
        return f"{reasons}. None can be read: give JPEG, PNG, WebP or TIFF pictures that a viewer shows"
    return f"{reasons}. Give photographs of things that the detector knows"
