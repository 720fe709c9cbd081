"""The conditions of a node, and the one status that sums them up."""

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
    """Something about the node that people should know, and how bad it is."""

    level: Level
    sentence: str
    """For people. A WARN says what happened; an ERROR also says what to do."""


def warning(sentence: str) -> Condition:
    """It works, but someone should look."""
    return Condition(Level.WARN, sentence)


def failure(sentence: str) -> Condition:
    """It does not work."""
    return Condition(Level.ERROR, sentence)


def summary(conditions: Mapping[str, Condition], activity: str | None) -> Condition:
    """The status of a node.

    Args:
        conditions: The active conditions, by cause.
        activity: What the node does while nothing is wrong; ``None``: it does nothing yet.

    Returns:
        The worst level with the sentences of all warnings and errors, the worst first. Without any of
        these, the activity.
    """
    troubles = sorted((c for c in conditions.values() if c.level > Level.OK), key=lambda c: -c.level)
    if troubles:
        # Two causes may share a sentence.
        return Condition(troubles[0].level, "; ".join(dict.fromkeys(c.sentence for c in troubles)))
    return Condition(Level.STALE, "starting") if activity is None else Condition(Level.OK, activity or "ok")
