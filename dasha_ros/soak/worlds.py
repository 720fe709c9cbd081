"""What the observer knows of the twin's scenes: what can be found in each, and what can't."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ABSENT = "giraffe"
"""No shipped scene shows one: a goal for it searches the whole range of the lens."""
LEAST_LUX, MOST_LUX = 60.0, 300.0


@dataclass(frozen=True)
class Shown:
    """A scene, and the object that the policies find in it from any start."""

    scene: str
    label: str


SCENES = (
    Shown("motorcycle_garage", "motorcycle"),
    Shown("cat_pagoda", "cat"),
    Shown("astronaut_pagoda", "person"),
)
"""None of them shows what another does."""


def draw(random: Random, other_than: Shown | None = None) -> Shown:
    """Any scene but one."""
    return random.choice([scene for scene in SCENES if scene != other_than])


def light(random: Random) -> float:
    """Light that any of the scenes can be exposed in [lx], evenly on a logarithmic scale."""
    return float(round(LEAST_LUX * (MOST_LUX / LEAST_LUX) ** random.random(), 1))
