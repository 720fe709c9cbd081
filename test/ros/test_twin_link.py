"""What the twin's camera makes of what the twin's lens says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros import msg
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.ros.conversions import lens_to_msg, trajectory_to_msg
from dasha_ros.ros.twin_link import CameraTwinLink
from dasha_ros.timing.state import LensState


class Camera:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.moves: list[PowerTrajectory] = []

    def set_trajectory(self, moves: PowerTrajectory) -> None:
        self.moves.append(moves)


@pytest.fixture
def link() -> Any:
    """A link whose topics nobody serves, with the camera and what was heard."""
    heard: list[int] = []
    told: list[None] = []
    camera = Camera()
    node = SimpleNamespace(create_subscription=lambda *a, **k: None)
    lane = SimpleNamespace(listen=lambda *a: None)
    made = CameraTwinLink(
        node,
        lane,
        camera,
        None,
        changed=lambda: told.append(None),
        heard=lambda state: heard.append(state.command.sec),
    )
    made.knows_world = True
    return SimpleNamespace(link=made, camera=camera, heard=heard, told=told)


def move(command_s: int, said_s: int, dioptres: float = 1.0) -> msg.TwinLens:
    state = LensState(command_s * 10**9, 40.0, 40.0, settled=False, settled_at_ns=(command_s + 1) * 10**9)
    moves = PowerTrajectory(command_s * 10**9, 0.0, dioptres, 0.02)
    return trajectory_to_msg(moves, lens_to_msg(state, said_s * 10**9))


def test_a_move_comes_with_what_the_driver_says_of_it(link: Any) -> None:
    assert not link.link.follows(5 * 10**9)
    link.link._on_lens(move(5, 5))
    assert link.link.follows(5 * 10**9)
    assert not link.link.follows(6 * 10**9)
    assert link.heard == [5]
    assert link.told


def test_a_drift_changes_the_course_under_the_same_state(link: Any) -> None:
    link.link._on_lens(move(5, 5, dioptres=1.0))
    link.link._on_lens(move(5, 5, dioptres=1.1))
    assert [m.target_dioptres for m in link.camera.moves] == [1.0, 1.1]


def test_what_was_said_before_and_comes_late_changes_nothing(link: Any) -> None:
    link.link._on_lens(move(6, 6))
    link.link._on_lens(move(5, 5))
    assert link.heard == [6]
    assert len(link.camera.moves) == 1
    assert link.link.follows(6 * 10**9)


def test_a_driver_without_an_open_lens_says_nothing_of_it(link: Any) -> None:
    """The lens was configured anew: where it stands is known, that it obeys a command is not."""
    link.link._on_lens(move(5, 5))
    link.link._on_lens(trajectory_to_msg(PowerTrajectory(0, 0.0, 0.0, 0.02)))
    assert link.heard == [5]
    assert not link.link.follows(5 * 10**9)
    link.link._on_lens(move(7, 7))
    assert link.heard == [5, 7]
