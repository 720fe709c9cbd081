"""How the twin's camera follows the twin's lens and world."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from chart import Chart

from dasha_ros import msg
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.ros.driver_nodes.twin_link import CameraTwinLink, LensTwinLink, WorldLink
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.transport.conversions import lens_to_msg, trajectory_to_msg
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World


class Camera:
    """Keeps what it received."""

    def __init__(self) -> None:
        self.moves: list[PowerTrajectory] = []

    def set_trajectory(self, moves: PowerTrajectory) -> None:
        self.moves.append(moves)


@pytest.fixture
def link() -> Any:
    """A link without an executor, its camera, and the states it passed on."""
    heard: list[int] = []
    told: list[None] = []
    camera = Camera()
    node = NODE
    subscriber = SimpleNamespace(listen=lambda *a, **k: None)
    made = CameraTwinLink(
        node,
        subscriber,
        camera,
        Chart(),
        changed=lambda: told.append(None),
        heard=lambda state: heard.append(state.command.sequence),
    )
    made.knows_world = True
    return SimpleNamespace(link=made, camera=camera, heard=heard, told=told)


def state(command: int, driver: str = "lens") -> LensState:
    return LensState(
        CommandId("a", command), 40.0, 40.0, settled=False, settled_at_ns=0, driver=driver, move=command
    )


def move(command: int, said: int, dioptres: float = 1.0) -> msg.TwinLens:
    moves = PowerTrajectory(command * 10**9, 0.0, dioptres, 0.02)
    return trajectory_to_msg(moves, lens_to_msg(replace(state(command), sequence=said)))


def test_a_move_comes_with_the_drivers_state(link: Any) -> None:
    assert not link.link.follows(state(5))
    link.link._on_lens(move(5, 5))
    assert link.link.follows(state(5))
    assert not link.link.follows(state(6))
    assert not link.link.follows(state(5, "a driver that was started after it"))
    assert link.heard == [5]
    assert link.told


def test_a_drift_changes_the_trajectory_but_not_the_state(link: Any) -> None:
    link.link._on_lens(move(5, 5, dioptres=1.0))
    link.link._on_lens(move(5, 5, dioptres=1.1))
    assert [m.target_dioptres for m in link.camera.moves] == [1.0, 1.1]


def test_an_older_message_that_comes_late_changes_nothing(link: Any) -> None:
    link.link._on_lens(move(6, 6))
    link.link._on_lens(move(5, 5))
    assert link.heard == [6]
    assert len(link.camera.moves) == 1
    assert link.link.follows(state(6))


def test_a_driver_without_an_open_lens_sends_no_state(link: Any) -> None:
    """The lens was configured again: its position is known, but not which command it obeys."""
    link.link._on_lens(move(5, 5))
    link.link._on_lens(trajectory_to_msg(PowerTrajectory(6 * 10**9, 0.0, 0.0, 0.02)))
    assert link.heard == [5]
    assert not link.link.follows(state(5))
    link.link._on_lens(move(7, 7))
    assert link.heard == [5, 7]


def test_a_lens_driver_that_is_not_active_does_not_blind_the_camera(link: Any) -> None:
    inactive = replace(state(0, "configured again"), faults=("not active",))
    assert not link.link.follows(inactive)  # nothing is known of any lens yet
    link.link._on_lens(trajectory_to_msg(PowerTrajectory(5 * 10**9, 0.0, 0.0, 0.02)))
    assert link.link.follows(inactive)
    assert not link.link.follows(replace(inactive, faults=()))


def test_a_drivers_first_message_that_comes_late_does_not_blind_the_camera(link: Any) -> None:
    first = trajectory_to_msg(PowerTrajectory(5 * 10**9, 0.0, 1.0, 0.02))
    link.link._on_lens(move(5, 5))
    link.link._on_lens(first)
    assert link.link.follows(state(5))
    assert link.heard == [5]


class Glass:
    """Keeps the temperatures that were set."""

    trajectory = PowerTrajectory(0, 0.0, 0.0, 0.02)

    def __init__(self) -> None:
        self.felt: list[float] = []

    def set_temperature(self, temperature_c: float) -> None:
        self.felt.append(temperature_c)


class Sight(Camera):
    """Keeps the worlds that were set; one scene does not exist."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def set_world(self, world: World) -> None:
        if world.scene == "nowhere":
            raise SceneError("no scene 'nowhere'")
        self.seen.append(world.illuminance_lx)


NODE: Any = SimpleNamespace(
    get_namespace=lambda: "/dasha",
    get_logger=lambda: None,
    create_subscription=lambda *a, **k: None,
    create_publisher=lambda *a: SimpleNamespace(publish=lambda message: None),
)


def world(**values: Any) -> msg.TwinWorld:
    return msg.TwinWorld(**{"scene": "street", "illuminance_lx": 100.0, "temperature_c": 25.0, **values})


@pytest.mark.parametrize("temperature_c", [math.nan, math.inf, -300.0])
def test_an_impossible_temperature_does_not_reach_the_lens(temperature_c: float) -> None:
    health, glass = Chart(), Glass()
    link = LensTwinLink(NODE, glass, health)
    link._on_world(world(temperature_c=30.0))
    link._on_world(world(temperature_c=temperature_c))
    assert glass.felt == [30.0]
    assert (health.status().level, health.count("refused_worlds", by=0)) == (Level.ERROR, 1)
    assert "temperature" in health.status().sentence
    link._on_world(world(temperature_c=31.0))
    assert glass.felt == [30.0, 31.0]
    assert not health.conditions()


def test_a_refused_world_is_reported_until_a_usable_one_comes() -> None:
    health, sight = Chart(), Sight()
    link = WorldLink(NODE, sight, health)
    link._on_world(world(scene="nowhere"))
    assert (health.status().level, link.knows_world) == (Level.ERROR, False)
    assert "nowhere" in health.status().sentence
    link._on_world(world(illuminance_lx=50.0))
    assert (health.conditions(), link.knows_world, sight.seen) == ({}, True, [50.0])


def test_a_good_world_clears_no_other_condition() -> None:
    health = Chart()
    link = WorldLink(NODE, Sight(), health)
    health.error("device", "the camera is gone (trying again)")
    link._on_world(world())
    assert health.status().level == Level.ERROR
    link._on_world(world(scene="nowhere"))
    health.clear("device")
    health.warn("lifecycle", "not active")
    link._on_world(world())
    assert (health.status().level, health.status().sentence) == (Level.WARN, "not active")
