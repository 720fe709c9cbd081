"""Hints at what may have been meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def meant(word: str, known: Collection[str]) -> str:
    """``did you mean ...?``, empty when nothing is near."""
    matches = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(matches)}?" if matches else ""


def near(word: str, known: Collection[str]) -> str:
    """A hint at what may have been meant; without one, everything that is known."""
    return meant(word, known) or f"known: {', '.join(sorted(known))}"
