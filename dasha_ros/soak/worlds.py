"""The scenes of a soak, and the objects that can and can't be found in them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ABSENT = "giraffe"
"""No scene shows this object: a goal for it searches the whole range of the lens."""
LEAST_LUX, MOST_LUX = 60.0, 300.0


@dataclass(frozen=True)
class Shown:
    """A scene, and an object that the policies find in it from any start."""

    scene: str
    label: str


SCENES = (
    Shown("motorcycle_garage", "motorcycle"),
    Shown("cat_pagoda", "cat"),
    Shown("astronaut_pagoda", "person"),
)
"""No scene shows the object of another one."""


def draw(random: Random, other_than: Shown | None = None) -> Shown:
    """A random scene other than the given one."""
    return random.choice([scene for scene in SCENES if scene != other_than])


def light(random: Random) -> float:
    """Random light that every scene can be exposed in [lx], uniform on a logarithmic scale."""
    return float(round(LEAST_LUX * (MOST_LUX / LEAST_LUX) ** random.random(), 1))
