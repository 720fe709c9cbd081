"""A client's goal from its sending to its end, without a graph."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.msg import FocusState

from dasha_ros.ros.goals import focus_client
from dasha_ros.ros.goals.goal_watchdog import GoalLostError, Loss


def test_a_rejection_that_was_known_when_the_goal_was_sent_is_not_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Rejected:
        """A remote goal that its server rejects before it tells why."""

        was_sent = False

        def advance(self) -> bool:
            if self.was_sent:
                raise GoalLostError(Loss.REJECTED)
            self.was_sent = True
            return False

    monkeypatch.setattr(focus_client, "RemoteGoal", lambda *a: Rejected())
    earlier, own = FocusState(message="goal rejected: earlier"), FocusState(message="goal rejected: own")
    graph = SimpleNamespace(
        client=None, state=earlier, rejection=None, context=SimpleNamespace(ok=lambda: True)
    )
    order = focus_client.Order(None, None, None, lambda: None, lambda ending: None)
    run = focus_client._Run(order, graph, None)
    graph.rejection = earlier  # The latched state comes after the goal was begun, and before it was sent.
    assert run.advance() is None
    assert run.advance() is None, "the reason has not come yet"
    graph.rejection = own
    assert run.advance().reason == "goal rejected: own"
