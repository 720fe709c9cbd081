"""Scenes in which the object and its background stand in different light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dasha_ros.learning.dataset.scenes.scene_file import scene_text
from dasha_ros.twin.scene import load_scene

OBJECTS = (
    ("cat_pagoda", "cat"),
    ("cup_street", "cup"),
    ("motorcycle_street", "motorcycle"),
    ("motorcycle_pagoda", "motorcycle"),
    ("astronaut_pagoda", "person"),
)
"""The shipped scenes in which an object stands before a background, and the object."""


@dataclass(frozen=True, slots=True)
class Lighting:
    """How many times brighter than the world object and background are lit."""

    name: str
    thing: float = 1.0
    background: float = 1.0


def lightings(ratios: tuple[float, ...]) -> tuple[Lighting, ...]:
    """The same light for both, and for each ratio a backlit object and one in the light before the dark."""
    return (
        Lighting("even"),
        *(Lighting(f"backlit {ratio:g} times", background=ratio) for ratio in ratios),
        *(Lighting(f"lit {ratio:g} times", thing=ratio) for ratio in ratios),
    )


def lit_scene(name: str, lighting: Lighting, folder: Path) -> Path:
    """Write a scene in which the nearest layer, the object, has another light than the rest.

    Args:
        name: A scene; see `load_scene`.
        lighting: The light.
        folder: Where the scene's file shall be.

    Raises:
        SceneError: No such scene.
    """
    scene = load_scene(name)
    layers = tuple(
        layer.model_copy(update={"light": lighting.background if number else lighting.thing})
        for number, layer in enumerate(scene.layers)
    )
    path = folder / f"{name}_{lighting.thing:g}_{lighting.background:g}.yaml"
    path.write_text(scene_text(scene.model_copy(update={"layers": layers})), encoding="utf-8")
    return path
