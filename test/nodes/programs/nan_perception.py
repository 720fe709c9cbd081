"""Perception whose BRISQUE is not a number from the third percept on: no real picture can provoke that."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import count
from typing import Any

from dasha_ros.nodes import perception
from dasha_ros.perception.pipeline import Perception

_seen = count()
_perceive = Perception.perceive


def perceive(self: Perception, *arguments: Any, **more: Any) -> Any:
    percept = _perceive(self, *arguments, **more)
    return replace(percept, brisque=float("nan")) if next(_seen) >= 5 else percept


Perception.perceive = perceive  # type: ignore[method-assign]

if __name__ == "__main__":
    perception.main(sys.argv)
