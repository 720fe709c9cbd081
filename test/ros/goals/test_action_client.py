"""An action client whose answers arrive sooner than rclpy expects them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ros_harness import PATIENCE_S, in_threads, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph


class Overtaken:
    """The handle of a client, and its lock if it has one, that go on only when the answer was taken already.

    Unless another answer is being worked on: then the next is not taken in between. rclpy 9 takes nothing
    while it sends, and holds a lock for that; there the wait begins when the lock is released.
    """

    def __init__(self, client: Any) -> None:
        self._handle = client._client_handle
        self.times = 0
        self._taken = threading.Event()
        self._lock = getattr(client, "_lock", None)
        self._sender = 0
        client._client_handle = self
        if self._lock is not None:
            client._lock = self._released()

    def put_back(self, client: Any) -> None:
        client._client_handle = self._handle
        if self._lock is not None:
            client._lock = self._lock

    def _released(self) -> Any:
        class Released:
            def __enter__(_) -> None:
                self._lock.acquire()

            def __exit__(_, *error: object) -> None:
                self._lock.release()
                if self._sender == threading.get_ident():
                    self._sender = 0
                    self._await_answer()

        return Released()

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
        if self._lock is None:
            self._await_answer()
        else:
            self._sender = threading.get_ident()
        return number

    def _await_answer(self) -> None:
        self.times += self._taken.wait(2.0)

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
        for position in (math.nan, 40.0):
            percept.lens.position = position
            handle.publish_feedback(AdjustFocus.Feedback(percept=percept))
        handle.succeed()
        return AdjustFocus.Result(error_msg="at once")

    server = ActionServer(
        probe.node, AdjustFocus, "at_once", succeed, callback_group=ReentrantCallbackGroup()
    )
    client = PatientActionClient(probe.node, AdjustFocus, "at_once")
    with in_threads(probe):
        assert client.wait_for_server(PATIENCE_S)
        overtaken = Overtaken(client)
        yield client
    overtaken.put_back(client)
    client.destroy()
    server.destroy()


def _wait(future: Any) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(PATIENCE_S), "the answer got lost"
    return future.result()


def test_an_answer_that_overtakes_its_request_is_not_lost(client: Any) -> None:
    from dasha_ros.action import AdjustFocus

    heard = threading.Event()
    handle = _wait(client.send_goal_async(AdjustFocus.Goal(), lambda _: heard.set()))
    assert handle.accepted
    assert _wait(handle.get_result_async()).result.error_msg == "at once"
    assert heard.wait(PATIENCE_S)
    # Too late to cancel, but the request is answered.
    assert _wait(handle.cancel_goal_async()) is not None
    assert client._client_handle.times >= 1
    wait_for(lambda: not client._futures, "the requests to be forgotten")


def test_invalid_feedback_is_rejected_and_valid_feedback_is_passed_on(client: Any) -> None:
    from dasha_ros.action import AdjustFocus

    position: list[float] = []
    heard = threading.Event()

    def hear(message: Any) -> None:
        position.append(message.feedback.percept.lens.position)
        heard.set()

    _wait(client.send_goal_async(AdjustFocus.Goal(), hear))
    assert heard.wait(PATIENCE_S)
    assert position == [40.0]
    (told,) = client._rejections.values().values()
    assert told.startswith("1: ")
    assert "position" in told


def test_what_was_said_before_the_result_is_heard_before_it(probe: Any) -> None:
    """rclpy takes one piece of feedback and the result at the same time, and works on the result first."""
    from dasha_ros.action import AdjustFocus
    from rclpy.task import Future
    from unique_identifier_msgs.msg import UUID

    from dasha_ros.ros.goals.action_client import PatientActionClient

    message = AdjustFocus.Impl.FeedbackMessage
    said = [message() for _ in range(3)]
    for step, one in enumerate(said):
        one.feedback.reward.step = step
    client = PatientActionClient(probe.node, AdjustFocus, "talkative")
    handle, heard, result = client._client_handle, [], Future()
    client._client_handle = SimpleNamespace(take_feedback=lambda _: said.pop(0) if said else None)
    client._feedback_callbacks[bytes(UUID().uuid)] = lambda one: heard.append(one.feedback.reward.step)
    client._pending_result_requests[7] = result
    result.add_done_callback(lambda future: heard.append(future.result()))
    with pytest.raises(StopIteration):
        client.execute({"result": (7, "the result"), "feedback": said.pop(0)}).send(None)
    assert heard == [0, 1, 2, "the result"]
    client._client_handle = handle
    client.destroy()
