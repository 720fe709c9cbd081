"""An action client whose answers come sooner than rclpy expects them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ros_harness import in_threads

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

PATIENCE_S = 10.0


class Overtaken:
    """The handle of a client that returns from sending only when the answer was taken already.

    Unless another answer is being worked on: then the next is not taken in between.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.times = 0
        self._taken = threading.Event()

    def __getattr__(self, name: str) -> Any:
        reach = getattr(self._handle, name)
        if name.startswith("send_"):
            return lambda *args: self._send(reach, args)
        if name.startswith("take_") and name.endswith("_response"):
            return lambda *args: self._take(reach, args)
        return reach

    def __enter__(self) -> Any:
        return self._handle.__enter__()

    def __exit__(self, *error: Any) -> Any:
        return self._handle.__exit__(*error)

    def _send(self, send: Any, args: Any) -> Any:
        self._taken.clear()
        number = send(*args)
        self.times += self._taken.wait(0.5)
        return number

    def _take(self, take: Any, args: Any) -> Any:
        taken = take(*args)
        if all(taken):
            self._taken.set()
        return taken


@pytest.fixture
def client(probe: Any) -> Iterator[Any]:
    """A client of an action that succeeds at once, both in an executor of several threads."""
    from dasha_ros.action import AdjustFocus
    from rclpy.action import ActionServer
    from rclpy.callback_groups import ReentrantCallbackGroup

    from dasha_ros import msg
    from dasha_ros.ros.goals.action_client import PatientActionClient

    def succeed(handle: Any) -> Any:
        percept = msg.Percept(capture=msg.CaptureInfo(exposure_us=1000.0), width=1, height=1)
        for volts in (math.nan, 40.0):
            percept.lens.volts = volts
            handle.publish_feedback(AdjustFocus.Feedback(percept=percept))
        handle.succeed()
        return AdjustFocus.Result(error_msg="at once")

    server = ActionServer(
        probe.node, AdjustFocus, "at_once", succeed, callback_group=ReentrantCallbackGroup()
    )
    client = PatientActionClient(probe.node, AdjustFocus, "at_once")
    with in_threads(probe):
        assert client.wait_for_server(PATIENCE_S)
        client._client_handle = Overtaken(client._client_handle)
        yield client
    client._client_handle = client._client_handle._handle
    client.destroy()
    server.destroy()


def _wait(future: Any) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(PATIENCE_S), "the answer got lost"
    return future.result()


def test_no_answer_is_lost_that_overtakes_its_request(client: Any) -> None:
    from dasha_ros.action import AdjustFocus

    heard = threading.Event()
    handle = _wait(client.send_goal_async(AdjustFocus.Goal(), lambda _: heard.set()))
    assert handle.accepted
    assert _wait(handle.get_result_async()).result.error_msg == "at once"
    assert heard.wait(PATIENCE_S)
    # Too late to cancel, but it is answered.
    assert _wait(handle.cancel_goal_async()) is not None
    assert client._client_handle.times >= 1


def test_feedback_that_can_not_be_is_left_out_and_what_can_is_heard(client: Any) -> None:
    from dasha_ros.action import AdjustFocus

    volts: list[float] = []
    heard = threading.Event()

    def hear(message: Any) -> None:
        volts.append(message.feedback.percept.lens.volts)
        heard.set()

    _wait(client.send_goal_async(AdjustFocus.Goal(), hear))
    assert heard.wait(PATIENCE_S)
    assert volts == [40.0]
    (told,) = client._rejections.values().values()
    assert told.startswith("1: ")
    assert "volts" in told
