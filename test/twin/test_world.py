from __future__ import annotations

from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import pytest

from dasha_ros.twin.world import PAPER_DISTANCES_M, PAPER_ILLUMINANCES_LX, World, WorldError, paper_schedule


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"illuminance_lx": 0.0}, "illuminance"),
        ({"illuminance_lx": float("nan")}, "illuminance"),
        ({"distances_m": (1.0, -1.0)}, "distance"),
        ({"distances_m": (float("inf"),)}, "distance"),
        ({"distances_m": (12.0, 1.1)}, r"\[12\.0, 1\.1\] m; layers must stand nearest first"),
        ({"temperature_c": 200.0}, "temperature"),
        ({"scene": ""}, "scene"),
        ({"lamp_hz": -100.0}, "lamp_hz"),
        ({"lamp_hz": float("inf")}, "lamp_hz"),
        ({"lamp_depth": 1.1}, "lamp_depth"),
    ],
)
def test_invalid_worlds_are_refused(change: dict, says: str) -> None:
    with pytest.raises(WorldError, match=says):
        replace(World(), **change)


def test_a_world_is_read_from_whatever_has_its_fields() -> None:
    said = {"scene": "cat", "illuminance_lx": 5.0, "temperature_c": 20.0, "lamp_hz": 120.0, "lamp_depth": 0.2}
    world = World.of(SimpleNamespace(**said, distances_m=[1.0, 2.0], speed=4.0))
    assert world == World("cat", 5.0, (1.0, 2.0), 20.0, 120.0, 0.2)
    with pytest.raises(WorldError, match="lamp_depth is 2"):
        World.of(SimpleNamespace(**{**said, "lamp_depth": 2.0}, distances_m=[]))


def test_the_paper_schedule_changes_light_and_distance_and_loops() -> None:
    start = World("motorcycle_street", distances_m=(0.8, 10.0), temperature_c=20.0)
    period = len(PAPER_ILLUMINANCES_LX) * len(PAPER_DISTANCES_M)
    worlds = list(islice(paper_schedule(start, layers=2), period + 3))
    assert [w.illuminance_lx for w in worlds[:3]] == [13.0, 23.0, 33.0]
    assert sorted({w.illuminance_lx for w in worlds})[-2:] == [293.0, 300.0]
    assert {w.distances_m[0] for w in worlds} == {1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0}
    assert {(w.scene, w.distances_m[1], w.temperature_c) for w in worlds} == {
        ("motorcycle_street", 10.0, 20.0)
    }
    assert len(set(worlds[:period])) == period
    assert worlds[period:] == worlds[:3]


def test_the_schedule_needs_the_distances_of_the_other_layers() -> None:
    with pytest.raises(WorldError, match="2 layers"):
        next(paper_schedule(World(), layers=2))
    assert next(paper_schedule(World())).distances_m == (1.4,)


def test_the_paper_schedule_keeps_the_nearest_layer_before_the_next() -> None:
    start = World("three_depths", distances_m=(0.5, 1.5, 20.0))
    worlds = list(islice(paper_schedule(start, layers=3), len(PAPER_DISTANCES_M)))
    assert {world.distances_m for world in worlds} == {(1.4, 1.5, 20.0), (1.5, 1.5, 20.0)}
