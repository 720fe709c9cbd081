"""A finding of ``dasha doctor``: one fact about this machine, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Whether the graph can run with this finding."""

    OK = "ok"
    OPTIONAL = "optional"
    """Missing, but only some features need it."""
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One fact about this machine."""

    topic: str
    name: str
    verdict: Verdict
    detail: str
    advice: str = ""
    """What to do; empty if there is nothing to do."""


def judged(
    topic: str, name: str, good: bool, detail: str, advice: str = "", *, otherwise: Verdict = Verdict.PROBLEM
) -> Finding:
    """Make a finding; the advice is dropped if everything is good."""
    return Finding(topic, name, Verdict.OK if good else otherwise, detail, "" if good else advice)
