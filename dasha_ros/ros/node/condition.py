"""What a node says of itself: the conditions that stand, and the one status that they make together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """The levels of ``diagnostic_msgs/DiagnosticStatus``."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


class Condition(NamedTuple):
    """One thing that is so, and how bad it is."""

    level: Level
    sentence: str
    """For people. From a WARN on it says what happened, and of an ERROR what to do."""


def warning(sentence: str) -> Condition:
    """It works, but someone should look."""
    return Condition(Level.WARN, sentence)


def failure(sentence: str) -> Condition:
    """It does not work."""
    return Condition(Level.ERROR, sentence)


def summary(standing: Mapping[str, Condition], activity: str | None) -> Condition:
    """The status of a node.

    Args:
        standing: What stands, by its cause.
        activity: What the node does when nothing is wrong; ``None``: it does nothing yet.

    Returns:
        The worst level with all sentences that are no OK, the worst first; without any, the activity.
    """
    troubles = sorted((c for c in standing.values() if c.level > Level.OK), key=lambda c: -c.level)
    if troubles:
        # Two causes may be told with one sentence.
        return Condition(troubles[0].level, "; ".join(dict.fromkeys(c.sentence for c in troubles)))
    return Condition(Level.STALE, "starting") if activity is None else Condition(Level.OK, activity or "ok")
