"""What a goal restores, in whatever order the reports of its actuators are heard."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.freshness.command import CommandId
from dasha_ros.ros.actuation.settlement import ActuatorReport
from dasha_ros.ros.goals.restoration import Restoration

AGENT, PERSON, DRIVER = "/robot/low_level_agent#1", "/robot/teleop#1", "/robot/lens_driver#1"


class _Lens:
    """The server's view of a lens driver, to which the test lends its voice."""

    def __init__(self) -> None:
        self.position_report: ActuatorReport | None = None
        self.exposure_report = None
        self.reported: Any = lambda: None

    def says(self, sender: str, sequence: int, value: float, driver: str = DRIVER) -> None:
        self.position_report = ActuatorReport(driver, CommandId(sender, sequence), value)
        self.reported()


def goal_on(lens: _Lens) -> Restoration:
    server: Any = SimpleNamespace(actuators=lens, get_namespace=lambda: "/robot")
    restoration = Restoration(server)
    restoration.begin()
    return restoration


@given(
    heard=st.integers(0, 4),
    positions=st.lists(st.floats(24.0, 70.0), min_size=5, max_size=5),
    moves=st.lists(st.floats(24.0, 70.0), max_size=4),
    afterwards=st.lists(st.sampled_from([PERSON, AGENT, DRIVER]), max_size=3),
)
def test_the_last_position_before_the_agents_first_command_is_restored(
    heard: int, positions: list[float], moves: list[float], afterwards: list[str]
) -> None:
    """A person moved the lens five times before the goal; only some of the reports were heard by then."""
    lens = _Lens()
    reports = [(PERSON, number + 1, position) for number, position in enumerate(positions)]
    for report in reports[: heard + 1]:
        lens.says(*report)
    restoration = goal_on(lens)
    for report in reports[heard + 1 :]:
        lens.says(*report)
    assert restoration.position == positions[-1]
    for number, position in enumerate(moves):
        lens.says(AGENT, number + 1, position)
    for number, sender in enumerate(afterwards if moves else []):
        lens.says(sender, 100 + number, 33.0)
    assert restoration.position == positions[-1]
    assert (restoration.takeover.of("lens") is not None) == bool(moves and PERSON in afterwards)
    assert restoration.takeover.of("exposure") is None


def test_a_restarted_driver_does_not_change_what_is_restored() -> None:
    lens = _Lens()
    lens.says(PERSON, 1, 65.0)
    restoration = goal_on(lens)
    lens.says("", 0, 47.0, driver="/robot/lens_driver#2")
    assert restoration.position == 65.0


def test_what_an_earlier_goal_left_behind_gives_way_to_what_the_driver_restores() -> None:
    lens = _Lens()
    lens.says(AGENT, 7, 50.0)
    restoration = goal_on(lens)
    lens.says(DRIVER, 1, 65.0)
    assert restoration.position == 65.0


def test_an_unknown_position_stays_unknown() -> None:
    lens = _Lens()
    restoration = goal_on(lens)
    lens.says(AGENT, 1, 50.0)
    assert restoration.position is None
