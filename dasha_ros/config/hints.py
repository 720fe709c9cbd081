"""Suggests the name that a user may have meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def meant(word: str, known: Collection[str]) -> str:
    """``did you mean ...?``; empty if no known word is similar."""
    matches = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(matches)}?" if matches else ""


def near(word: str, known: Collection[str]) -> str:
    """A suggestion, or a list of all known words if none is similar."""
    return meant(word, known) or f"known: {', '.join(sorted(known))}"
