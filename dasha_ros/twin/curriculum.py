"""Chooses the world of the next training episode, and where camera and lens start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.twin.scene import Scene
from dasha_ros.twin.world import (
    DISTANCE_MAX_M,
    DISTANCE_MIN_M,
    FACTORY_EXPOSURE_US,
    FACTORY_POSITION,
    World,
    paper_schedule,
)


@dataclass(frozen=True, slots=True)
class Episode:
    """One training episode."""

    world: World
    label: str
    """The object to find."""
    exposure_us: float
    """Exposure at the start."""
    position: float
    """Where the lens is at the start."""


class Curriculum:
    """Draws episodes without end. The same seed draws the same episodes.

    Args:
        scenes: Scenes to train on, as in `World.scene`; each must have an object.
        table: Start exposures are drawn from it, log-uniformly.
        positions: Least and greatest start position of the lens.
        seed: Seed of all draws.
        schedule: ``paper`` (13..300 lx and 1.4..2.0 m in loops, every start with the factory's values; paper,
            V.A.2, V.B and IV.D) or ``random``.
        illuminance_lx: For ``random``: least and most light, drawn log-uniformly [lx].
        distance_factor: For ``random``: all distances of a scene are scaled by up to this factor, up or
            down, within the limits of scenes.
        episodes_per_world: Episodes before the world changes.

    Raises:
        ValueError: There is no scene, or a scene has no objects.
    """

    def __init__(
        self,
        scenes: Mapping[str, Scene],
        table: ExposureTable,
        positions: tuple[float, float],
        *,
        seed: int = 0,
        schedule: str = "random",
        illuminance_lx: tuple[float, float] = (13.0, 300.0),
        distance_factor: float = 1.5,
        episodes_per_world: int = 1,
    ) -> None:
        if not scenes:
            raise ValueError("a curriculum needs at least one scene")
        if empty := [name for name, scene in scenes.items() if not scene.objects]:
            raise ValueError(f"scene {empty[0]} has no objects, so nothing can be asked for in it")
        self._scenes, self._table, self._positions = list(scenes.items()), table, positions
        self._random = np.random.default_rng(seed)
        self._illuminance_lx, self._distance_factor = illuminance_lx, distance_factor
        self._episodes_per_world = episodes_per_world
        self._schedule = schedule
        self._worlds = self._paper() if schedule == "paper" else self._drawn()

    def __iter__(self) -> Iterator[Episode]:
        """Draw episodes."""
        for scene, world in self._worlds:
            for _ in range(self._episodes_per_world):
                label = str(self._random.choice(scene.labels))
                yield Episode(world, label, *self._start())

    def _start(self) -> tuple[float, float]:
        """Exposure [us] and lens position at the start."""
        if self._schedule == "paper":
            return FACTORY_EXPOSURE_US, min(max(FACTORY_POSITION, self._positions[0]), self._positions[1])
        exposure_us = self._table.exposure_us(int(self._random.integers(len(self._table))))
        return exposure_us, float(self._random.uniform(*self._positions))

    def _paper(self) -> Iterator[tuple[Scene, World]]:
        schedules = [
            (scene, paper_schedule(World(name, distances_m=scene.distances_m), len(scene.layers)))
            for name, scene in self._scenes
        ]
        for scene, schedule in cycle(schedules):
            yield scene, next(schedule)

    def _drawn(self) -> Iterator[tuple[Scene, World]]:
        spread = math.log(self._distance_factor)
        dimmest, brightest = self._illuminance_lx
        low, high = math.log(dimmest), math.log(brightest)
        while True:
            name, scene = self._scenes[int(self._random.integers(len(self._scenes)))]
            scale = math.exp(self._random.uniform(-spread, spread))
            yield (
                scene,
                World(
                    scene=name,
                    illuminance_lx=min(max(math.exp(self._random.uniform(low, high)), dimmest), brightest),
                    distances_m=tuple(
                        min(max(distance * scale, DISTANCE_MIN_M), DISTANCE_MAX_M)
                        for distance in scene.distances_m
                    ),
                ),
            )
