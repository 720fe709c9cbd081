"""Worlds for training can be rendered for any settings."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.twin.curriculum import Curriculum
from dasha_ros.twin.scene import load_scene

SCENE = load_scene("motorcycle_pagoda")

light = st.floats(0.01, 200_000.0)


@given(light, light, st.floats(1.0, 5.0), st.integers(0, 2**31 - 1))
def test_every_drawn_world_is_within_the_given_ranges(
    one: float, other: float, factor: float, seed: int
) -> None:
    low, high = sorted((one, other))
    curriculum = Curriculum(
        {"motorcycle_pagoda": SCENE},
        exposure_table(),
        (24.0, 70.0),
        seed=seed,
        illuminance_lx=(low, high),
        distance_factor=factor,
    )
    for episode in islice(curriculum, 5):
        assert low <= episode.world.illuminance_lx <= high
        assert 24.0 <= episode.position <= 70.0
        assert episode.label in SCENE.labels
        for drawn, own in zip(episode.world.distances_m, SCENE.distances_m, strict=True):
            assert own / factor * (1 - 1e-9) <= drawn <= own * factor * (1 + 1e-9)
