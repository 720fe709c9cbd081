"""When a goal of A^L fails, the agent restores the lens, whatever it was doing."""

from __future__ import annotations

from typing import Any

import pytest
from graph import Graph
from ros_harness import PATIENCE_S
from scripted_rig import ScriptedRig
from transitions import until_discovered

pytestmark = pytest.mark.graph

START_POSITION = 40.0
CODES = {"PERCEPTION_LOST": 303, "CANCELED": 401, "PREEMPTED": 402, "SHUTDOWN": 403}


class Agent:
    """A^L in a process of its own, with devices that the test plays."""

    def __init__(self, graph: Graph, budget_s: float) -> None:
        from dasha_ros.action import AdjustFocus
        from rclpy.action import ActionClient

        self.probe, self.kind = graph.probe, AdjustFocus
        self.rig = ScriptedRig(graph.probe, position=START_POSITION)
        graph.start(
            "low_level_agent",
            low_level_agent={"policy": "coarse_to_fine", "inference_budget_s": budget_s, "retries": 0},
        )
        graph.until_active("low_level_agent")
        self.client = ActionClient(graph.probe.node, AdjustFocus, "adjust_focus")
        self.probe.until(self.client.server_is_ready, "the agent")
        until_discovered(self.probe, "low_level_agent")
        self.rig.tell()

    def send(self) -> Any:
        """Send a goal that finds nothing; returns its handle."""
        goal = self.kind.Goal(labels=["cat"])
        handle = self.probe.result(self.client.send_goal_async(goal), "acceptance")
        assert handle.accepted
        return handle

    def result(self, handle: Any) -> Any:
        """Wait for the end of a goal."""
        return self.probe.result(handle.get_result_async(), "the end of the goal").result

    def until_commands(self, number: int) -> None:
        """Wait for this many commands."""
        self.probe.until(lambda: len(self.rig.commands) >= number, f"{number} commands")


@pytest.fixture
def agent(bare_graph: Graph) -> Agent:
    """An agent that waits for a percept until the goal is cancelled, however busy the machine is."""
    return Agent(bare_graph, PATIENCE_S)


def test_when_the_first_move_is_never_answered(bare_graph: Graph) -> None:
    agent = Agent(bare_graph, budget_s=10.0)
    rig = agent.rig
    handle = agent.send()
    rig.after_command = lambda position: setattr(rig, "sees", position == START_POSITION)
    result = agent.result(handle)
    assert result.error_code == CODES["PERCEPTION_LOST"], result.error_msg
    assert rig.commands[0] == START_POSITION  # the first look
    assert rig.commands[1] != START_POSITION
    assert rig.commands[-1] == rig.position == result.lens_position == START_POSITION


def test_when_it_is_cancelled_before_the_first_move_is_answered(agent: Agent) -> None:
    rig = agent.rig
    rig.after_command = lambda position: setattr(rig, "sees", position == START_POSITION)
    handle = agent.send()
    agent.until_commands(2)
    agent.probe.result(handle.cancel_goal_async(), "an answer to the cancel")
    result = agent.result(handle)
    assert result.error_code == CODES["CANCELED"], result.error_msg
    assert rig.position == result.lens_position == START_POSITION


def test_when_a_newer_goal_takes_over_and_is_cancelled_in_turn(agent: Agent) -> None:
    """The newer goal starts from the older one's start, not from its last search position."""
    rig = agent.rig
    # Without a percept, the first goal can't end before the second one comes.
    rig.after_command = lambda _: setattr(rig, "sees", len(rig.commands) < 4)
    first = agent.send()
    agent.until_commands(4)
    moved = len(rig.commands)
    rig.after_command = lambda position: setattr(rig, "sees", position == START_POSITION)
    second = agent.send()
    assert agent.result(first).error_code == CODES["PREEMPTED"]
    back = rig.commands.index(START_POSITION, moved - 1)
    agent.until_commands(back + 3)
    agent.probe.result(second.cancel_goal_async(), "an answer to the cancel")
    result = agent.result(second)
    assert result.error_code == CODES["CANCELED"], result.error_msg
    assert rig.position == result.lens_position == START_POSITION


def test_when_the_driver_never_restores_the_message_says_so(agent: Agent) -> None:
    rig = agent.rig
    handle = agent.send()
    agent.until_commands(2)
    rig.ignores = True
    agent.probe.result(handle.cancel_goal_async(), "an answer to the cancel")
    result = agent.result(handle)
    assert result.error_code == CODES["CANCELED"]
    assert "The lens could not be restored" in result.error_msg
