"""A client's goal from its sending to its end, without a graph."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.goals import focus_client
from dasha_ros.ros.goals.goal_watchdog import GoalLostError, Loss

OWN, OTHER = bytes([1] * 16), bytes([2] * 16)


class Rejected:
    """A remote goal that its server rejects before it tells why."""

    ids = (OWN,)

    def advance(self) -> bool:
        raise GoalLostError(Loss.REJECTED)


def rejected(monkeypatch: pytest.MonkeyPatch) -> tuple[focus_client._Run, SimpleNamespace]:
    monkeypatch.setattr(focus_client, "RemoteGoal", lambda *a: Rejected())
    graph = SimpleNamespace(
        client=None,
        state=object(),
        rejections={OTHER: "goal rejected: other"},
        context=SimpleNamespace(ok=lambda: True),
    )
    order = focus_client.Order(None, None, None, lambda: None, lambda ending: None)
    return focus_client._Run(order, graph, None), graph


def test_a_goal_gets_its_own_reason_and_not_that_of_another_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    run, graph = rejected(monkeypatch)
    assert run.advance() is None, "the reason has not come yet"
    graph.rejections[OWN] = "goal rejected: own"
    graph.rejections[bytes([3] * 16)] = "goal rejected: a later one"
    assert run.advance().reason == "goal rejected: own"


def test_a_server_that_can_not_say_why_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a clean-up it rejects all goals, and has no topic to say so."""
    run, _ = rejected(monkeypatch)
    monkeypatch.setattr(focus_client, "_STATE_S", 0.0)
    reason = run.advance().reason
    assert "the focus server is not configured, or is just ending" in reason
    assert "`dasha doctor`" in reason
