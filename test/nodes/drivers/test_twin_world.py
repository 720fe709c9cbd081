"""The twin's world: what it refuses, and a clock that survives its restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from in_process import Ears, in_process
from rclpy.parameter import Parameter
from studio import Studio

from dasha_ros.ros.transport.stamps import to_ns

pytestmark = pytest.mark.graph


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("scene", "nowhere", "no scene 'nowhere'; give the path of a YAML file, or one of: "),
        ("scene", "/nowhere.yaml", "/nowhere.yaml: there is no such file"),
        ("scene", "", "no name"),
        ("distances_m", [-5.0, 1.0], "distance is -5.0 m; it must lie in 0.05..1000 m"),
        ("distances_m", [12.0, 1.1], "[12.0, 1.1] m; layers must stand nearest first"),
        ("distances_m", [1.0], "set scene and distances_m in one call, or first distances_m to []"),
    ],
)
def test_an_impossible_world_is_refused_when_it_is_set(
    ros_env: dict[str, str], name: str, value: Any, words: str
) -> None:
    from dasha_ros.nodes import twin_world

    with in_process(twin_world, "TwinWorld") as world:
        world.start()
        told = Ears()
        world._publisher = told
        before = world.config
        answer = world.set_parameters([Parameter(name, value=value)])[0]
        assert not answer.successful
        assert words in answer.reason
        assert world.config == before
        assert not told.heard


def test_a_scene_with_a_damaged_map_is_refused_or_reported_at_start(
    ros_env: dict[str, str], tmp_path: Path
) -> None:
    from dasha_ros.nodes import twin_world

    studio = Studio(tmp_path)
    studio.texture("wall.png", 0)
    layer = {"kind": "depth", "photo": "wall.png", "map": "map.npz", "distance_m": 0.5, "farthest_m": 2.0}
    scene = str(studio.scene(layers=[layer]))
    (tmp_path / "map.npz").write_bytes(b"PK")
    with in_process(twin_world, "TwinWorld") as world:
        world.start()
        answer = world.set_parameters([Parameter("scene", value=scene)])[0]
        assert not answer.successful
        assert "map.npz" in answer.reason
    with in_process(twin_world, "TwinWorld", scene=scene) as world:
        world.start()
        assert not world.is_active
        assert "map.npz" in world.health.status().sentence


def test_scene_and_distances_can_change_together(ros_env: dict[str, str], chart_scene: str) -> None:
    from dasha_ros.nodes import twin_world

    with in_process(twin_world, "TwinWorld") as world:
        world.start()
        told = Ears()
        world._publisher = told
        both = [Parameter("scene", value=chart_scene), Parameter("distances_m", value=[2.0])]
        assert world.set_parameters_atomically(both).successful
        assert [(w.scene, list(w.distances_m)) for w in told.heard] == [(chart_scene, [2.0])]


@pytest.fixture
def chart_scene(tmp_path: Path) -> str:
    """A scene of one layer."""
    studio = Studio(tmp_path)
    photo = studio.grey("chart.png", 128)
    return str(studio.scene(layers=[{"kind": "photograph", "photo": photo, "distance_m": 1.0}]))


def test_a_scene_whose_picture_is_missing_is_refused_when_it_is_set(
    ros_env: dict[str, str], tmp_path: Path, chart_scene: str
) -> None:
    from dasha_ros.nodes import twin_world

    (tmp_path / "chart.png").unlink()
    with in_process(twin_world, "TwinWorld") as world:
        world.start()
        answer = world.set_parameters([Parameter("scene", value=chart_scene)])[0]
        assert not answer.successful
        assert f"there is no file {tmp_path / 'chart.png'}" in answer.reason


def test_a_restarted_world_does_not_set_the_clock_back(ros_env: dict[str, str]) -> None:
    # Drivers refuse commands that are older than the last one.
    from dasha_ros.nodes import twin_world

    with in_process(twin_world, "TwinWorld", speed=20.0) as first:
        again = twin_world.TwinWorld()
        told = Ears()
        for world in (first, again, first, again):
            world._clock_publisher = told
            world._tick()
        again.destroy_node()
    stamps = [to_ns(message.clock) for message in told.heard]
    assert stamps == sorted(stamps)
    assert stamps[0] > 0
