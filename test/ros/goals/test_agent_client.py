"""A client of an agent that answers late, wrongly, or not at all."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ros_harness import PATIENCE_S, Probe, in_threads, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph


class Agent:
    """An agent in the probe's node: accepts when the test lets it, and works until a cancel, or briefly."""

    def __init__(self, probe: Probe, feedback: int = 0, lasts: bool = False) -> None:
        from dasha_ros.action import AdjustFocus
        from rclpy.action import ActionServer, CancelResponse
        from rclpy.callback_groups import ReentrantCallbackGroup

        self._kind, self._feedback, self._lasts = AdjustFocus, feedback, lasts
        self.accepts, self.cancelled = threading.Event(), threading.Event()
        self._server = ActionServer(
            probe.node,
            AdjustFocus,
            "adjust_focus",
            self._execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )

    def _on_goal(self, _: Any) -> Any:
        from rclpy.action import GoalResponse

        assert self.accepts.wait(PATIENCE_S)
        return GoalResponse.ACCEPT

    def _execute(self, handle: Any) -> Any:
        feedback = self._kind.Feedback()
        feedback.percept.width = feedback.percept.height = 1
        feedback.percept.capture.exposure_us = 1000.0
        for _ in range(self._feedback):
            handle.publish_feedback(feedback)
        if self._lasts:
            wait_for(lambda: handle.is_cancel_requested, "a cancel")
            handle.canceled()
            self.cancelled.set()
        else:
            handle.succeed()
        return self._kind.Result(steps=7)

    def close(self) -> None:
        """Leave the graph."""
        self._server.destroy()


def _client(probe: Probe) -> Any:
    from dasha_ros.action import AdjustFocus

    from dasha_ros.ros.goals.agent_client import AgentClient

    return AgentClient(probe.node, AdjustFocus, "adjust_focus", "low_level_agent")


def test_a_goal_that_is_accepted_too_late_is_cancelled(probe: Probe) -> None:
    from dasha_ros.action import AdjustFocus

    from dasha_ros.ros.goals.agent_client import AgentLostError

    agent, client = Agent(probe, lasts=True), _client(probe)
    with in_threads(probe, 6):
        wait_for(client._client.server_is_ready, "the agent")
        with pytest.raises(AgentLostError, match=r"low_level_agent did not answer a goal within 0\.2 s"):
            client.run(AdjustFocus.Goal(), lambda _: None, lambda: None, 0.2)
        agent.accepts.set()
        assert agent.cancelled.wait(PATIENCE_S), "the agent works on for nobody"
        client.destroy()
        agent.close()


def test_unusable_feedback_does_not_lose_the_result(probe: Probe) -> None:
    from dasha_ros.action import AdjustFocus

    heard: list[Any] = []

    def refuse(feedback: Any) -> None:
        heard.append(feedback)
        raise ValueError("names and values differ in number")

    agent, client = Agent(probe, feedback=2), _client(probe)
    agent.accepts.set()
    with in_threads(probe, 6):
        result = client.run(AdjustFocus.Goal(), refuse, lambda: None, PATIENCE_S)
        assert result.steps == 7
        wait_for(lambda: len(heard) == 2, "both pieces of feedback")
        # The executor that received them serves the next goal.
        assert client.run(AdjustFocus.Goal(), lambda _: None, lambda: None, PATIENCE_S).steps == 7
        client.destroy()
        agent.close()


def test_a_goal_that_was_sent_to_a_dead_process_is_sent_again(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dasha_ros.action import AdjustFocus
    from rclpy.task import Future

    agent, client = Agent(probe), _client(probe)
    agent.accepts.set()
    send, sent = client._client.send_goal_async, []

    def lose_the_first(*arguments: Any) -> Any:
        sent.append(arguments)
        return Future() if len(sent) == 1 else send(*arguments)

    monkeypatch.setattr(client._client, "send_goal_async", lose_the_first)
    with in_threads(probe, 6):
        result = client.run(AdjustFocus.Goal(), lambda _: None, lambda: None, PATIENCE_S)
        assert (result.steps, len(sent)) == (7, 2)
        client.destroy()
        agent.close()
