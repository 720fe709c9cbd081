"""A permanent command counts as obeyed only by its driver's own report. No time passes."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.ros.actuation.settlement import AGAIN_S, ActuatorReport, Sent, Settlement

BEFORE, SEARCHED = 40.0, 50.0
AGENT = CommandId("/dasha/low_level_agent#1", 7)
FIRST, SECOND = "/dasha/lens_driver#1", "/dasha/lens_driver#2"


class Server:
    """A node that restores a lens, and the driver's reports that it receives."""

    def __init__(self) -> None:
        self.now, self.sent = 0.0, 0
        self.said: ActuatorReport | None = ActuatorReport(FIRST, AGENT, SEARCHED)

    def send(self, value: float) -> Sent:
        assert value == BEFORE
        self.sent += 1
        return Sent(CommandId("/dasha/focus_server#1", self.sent), 0, {AGENT.sender: AGENT.sequence})

    def settle(self) -> Settlement:
        return Settlement(
            lambda: self.said,
            self.send,
            BEFORE,
            is_ours=lambda sender: sender.startswith("/dasha/low_level_agent#"),
            clock=lambda: self.now,
        )

    def driver_says(self, driver: str, command: CommandId, value: float = BEFORE) -> None:
        self.said = ActuatorReport(driver, command, value)

    @property
    def last(self) -> CommandId:
        return CommandId("/dasha/focus_server#1", self.sent)


def test_the_last_report_of_a_dead_driver_does_not_count() -> None:
    server = Server()
    server.said = ActuatorReport(FIRST, CommandId("/dasha/low_level_agent#1", 6), BEFORE)
    back = server.settle()
    assert not back.look(), "it says the value from before, but it may be dead"
    server.driver_says(FIRST, server.last)
    assert back.look()


def test_a_new_driver_is_commanded_and_its_own_report_is_awaited() -> None:
    server = Server()
    back = server.settle()
    server.driver_says(SECOND, NO_COMMAND, BEFORE)
    assert not back.look()
    assert not back.look()
    assert server.sent == 2, "once, when it spoke"
    server.driver_says(SECOND, server.last)
    assert back.look()


def test_a_driver_that_was_not_there_yet_is_commanded_again() -> None:
    server = Server()
    server.driver_says(SECOND, NO_COMMAND, 24.4)
    back = server.settle()
    for n in range(3):
        assert not back.look()
        assert server.sent == 1 + n
        server.now += AGAIN_S
    # The driver obeyed the first command, which counts.
    server.driver_says(SECOND, CommandId("/dasha/focus_server#1", 1))
    assert back.look()


def test_another_node_that_commands_meanwhile_wins() -> None:
    server = Server()
    back = server.settle()
    server.driver_says(FIRST, CommandId("/robot", 1), 60.0)
    assert back.look()


def test_a_late_command_of_the_goals_own_agent_does_not_win() -> None:
    server = Server()
    back = server.settle()
    server.driver_says(FIRST, CommandId(AGENT.sender, AGENT.sequence + 1), 55.0)
    assert not back.look()
    server.now += AGAIN_S
    assert not back.look()
    assert server.sent == 2


@pytest.mark.parametrize(("value", "is_back"), [(BEFORE, True), (SEARCHED, False)])
def test_a_driver_that_ends_restores_its_actuator_but_the_next_one_may_not(
    value: float, is_back: bool
) -> None:
    server = Server()
    back = server.settle()
    server.driver_says(FIRST, CommandId(FIRST, 1), value)
    assert not back.look()
    assert back.is_active is is_back
    server.driver_says(SECOND, NO_COMMAND, 24.4)
    assert not back.is_active


words = st.tuples(
    st.sampled_from((FIRST, SECOND)),
    st.sampled_from((NO_COMMAND, AGENT, CommandId(AGENT.sender, 9), CommandId(FIRST, 1))),
    st.sampled_from((BEFORE, SEARCHED)),
)


@given(st.lists(words, max_size=20))
def test_commands_from_before_or_from_the_goal_do_not_count(
    said: list[tuple[str, CommandId, float]],
) -> None:
    server = Server()
    back = server.settle()
    for driver, command, value in said:
        server.driver_says(driver, command, value)
        if command.sender != FIRST or driver == FIRST:
            assert not back.look()
    server.driver_says(SECOND, server.last)
    assert back.look()
