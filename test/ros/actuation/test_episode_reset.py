"""Setting up an episode, with a twin world that refuses or is silent."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rcl_interfaces.msg import SetParametersResult
from rclpy.task import Future

from dasha_ros.ros.actuation.episode_reset import EpisodeReset, WorldRefused
from dasha_ros.twin.world import World


class Service:
    """twin_world's, and its client."""

    def __init__(self, result: SetParametersResult | None) -> None:
        self._result = result
        self.pending: list[Future] = []

    def service_is_ready(self) -> bool:
        return True

    def call_async(self, request: Any) -> Future:
        future = Future()
        self.pending.append(future)
        if self._result is not None:
            future.set_result(SimpleNamespace(result=self._result))
        return future

    def remove_pending_request(self, future: Future) -> None:
        self.pending.remove(future)


def stage(service: Service) -> EpisodeReset:
    node = SimpleNamespace(
        create_client=lambda kind, name: service,
        create_subscription=lambda *a, **k: None,
        get_namespace=lambda: "/dasha",
        get_logger=lambda: None,
    )

    def wait(condition: Callable[[], bool], trouble: str) -> None:
        if not condition():
            raise TimeoutError(trouble)

    return EpisodeReset(node, None, wait)


def test_a_refusal_is_reported_at_once_with_its_reason() -> None:
    service = Service(SetParametersResult(successful=False, reason="too dark"))
    with pytest.raises(WorldRefused, match="twin_world refused the world: too dark"):
        stage(service).set_world(World("street"))


def test_an_unanswered_call_is_closed() -> None:
    service = Service(None)
    with pytest.raises(TimeoutError, match="twin_world does not answer"):
        stage(service).set_world(World("street"))
    assert not service.pending
