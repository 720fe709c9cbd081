"""What a node destroys under a running executor is destroyed when nothing can use it, and no earlier."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ros_harness import PATIENCE_S, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from dasha_ros.action import AdjustFocus
from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from std_srvs.srv import SetBool

from dasha_ros.config import NodeConfig
from dasha_ros.ros.goals import simple_action_server as single_goal
from dasha_ros.ros.goals.agent_client import AgentClient
from dasha_ros.ros.goals.simple_action_server import SimpleActionServer
from dasha_ros.ros.node.executor import SafeMultiThreadedExecutor
from dasha_ros.ros.node.node import DashaNode

pytestmark = [pytest.mark.graph, pytest.mark.usefixtures("ros_env")]


class Plain(DashaNode[NodeConfig]):
    config_model = NodeConfig


class Served:
    """A node and an executor that spins."""

    def __init__(self) -> None:
        self.node, self.executor, self.over = Plain("plain"), SafeMultiThreadedExecutor(4), threading.Event()
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._live)
        self.thread.start()
        wait_for(lambda: self.executor._spun_by, "the executor to spin")

    def _live(self) -> None:
        while not self.over.is_set():
            self.executor.spin_once(0.1)

    def call(self, work: Any) -> None:
        """Call something as a callback of this node."""
        self.executor.create_task(work)

    @property
    def bugs(self) -> int:
        return self.node.health._counts["internal_errors"]

    def close(self) -> None:
        self.over.set()
        self.thread.join(PATIENCE_S)
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def served() -> Iterator[Served]:
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    made = Served()
    yield made
    made.close()
    rclpy.try_shutdown()


def is_destroyed(handle: Any) -> bool:
    try:
        with handle:
            return False
    except InvalidHandle:
        return True


def test_what_a_running_callback_may_use_is_kept_until_it_ends(served: Served) -> None:
    node = served.node
    subscription = node.create_subscription(String, "letters", print, 10)
    begun, go_on = threading.Event(), threading.Event()

    def use() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    served.call(use)
    assert begun.wait(PATIENCE_S)
    assert node.destroy_subscription(subscription)
    assert not node.destroy_subscription(subscription), "it is gone from the node's lists at once"
    later: list[bool] = []
    served.call(lambda: later.append(is_destroyed(subscription.handle)))
    wait_for(lambda: later, "a callback that began later")
    assert later == [False]
    go_on.set()
    wait_for(lambda: is_destroyed(subscription.handle), "the end of the subscription")


def test_without_a_running_executor_entities_are_destroyed_at_once(served: Served) -> None:
    served.over.set()
    served.thread.join(PATIENCE_S)
    publisher = served.node.create_publisher(String, "letters", 10)
    served.node.destroy_publisher(publisher)
    assert is_destroyed(publisher.handle)


def test_shutdown_of_the_executor_destroys_what_was_retired(served: Served) -> None:
    publisher = served.node.create_publisher(String, "letters", 10)
    served.call(lambda: (served.over.set(), served.node.destroy_publisher(publisher)))
    served.thread.join(PATIENCE_S)
    served.executor.shutdown()
    assert is_destroyed(publisher.handle)


def test_entities_of_every_kind_are_created_and_destroyed_while_others_wait_and_none_is_kept(
    served: Served,
) -> None:
    node = served.node

    def come_and_go() -> None:
        timers = [node.create_timer(0.001, lambda: None)]
        guard = node.create_guard_condition(lambda: None)
        publisher = node.create_publisher(String, "letters", 10)
        subscription = node.create_subscription(String, "letters", lambda _: None, 10)
        service = node.create_service(SetBool, "serve", lambda _, answer: answer)
        client = node.create_client(SetBool, "serve")
        server = SimpleActionServer(node, AdjustFocus, "act", lambda _: "", print, ends_s=1.0)
        publisher.publish(String(data="a"))
        guard.trigger()
        client.call_async(SetBool.Request())
        node.destroy_subscription(subscription)
        node.destroy_publisher(publisher)
        node.destroy_timer(timers.pop())
        node.destroy_guard_condition(guard)
        node.destroy_client(client)
        node.destroy_service(service)
        server.destroy()

    gc.collect()
    kept = len(node.default_callback_group.entities)
    for _ in range(100):
        done = threading.Event()
        served.call(lambda done=done: (come_and_go(), done.set()))
        assert done.wait(PATIENCE_S)

    def kept_now() -> int:
        gc.collect()
        return len(node.default_callback_group.entities)

    # The list of the retired is empty a moment before the last of them is destroyed.
    wait_for(lambda: not served.executor._retired and kept_now() == kept, "the end of the last")
    assert served.bugs == 0, node.health.status().sentence
    assert len(list(node.waitables)) == len([p for p in node.publishers for _ in p.event_handlers])


def test_goals_are_served_while_topics_are_created_and_destroyed(served: Served) -> None:
    node = served.node
    server = SimpleActionServer(
        node, AdjustFocus, "act", lambda _: "", lambda _: AdjustFocus.Result(steps=7), ends_s=1.0
    )
    client = ActionClient(node, AdjustFocus, "act", callback_group=ReentrantCallbackGroup())
    wait_for(client.server_is_ready, "the action")
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            publisher = node.create_publisher(String, "letters", 10)
            subscription = node.create_subscription(String, "letters", lambda _: None, 10)
            node.destroy_publisher(publisher)
            node.destroy_subscription(subscription)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(20):
            sent = client.send_goal_async(AdjustFocus.Goal())
            wait_for(sent.done, "the acceptance")
            answer = sent.result().get_result_async()
            wait_for(answer.done, "the result")
            assert answer.result().result.steps == 7
    finally:
        over.set()
        thread.join(PATIENCE_S)
    assert served.bugs == 0, node.health.status().sentence
    server.destroy()
    client.destroy()


def test_goals_and_their_results_are_forgotten_when_they_expire(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert single_goal._RESULT_KEPT_S <= 60, "rclpy's 15 minutes are memory that grows with each goal"
    # As long as a client on a busy machine may take to ask for its result.
    monkeypatch.setattr(single_goal, "_RESULT_KEPT_S", 4)
    node = served.node
    server = SimpleActionServer(
        node, AdjustFocus, "act", lambda _: "", lambda _: AdjustFocus.Result(steps=7), ends_s=1.0
    )
    client = AgentClient(node, AdjustFocus, "act", "plain")
    for _ in range(10):
        assert client.run(AdjustFocus.Goal(), print, lambda: None, PATIENCE_S).steps == 7
    asked, answered = client._client, server._server
    kept = ("_goal_handles", "_result_futures", "_futures")
    wait_for(lambda: not any(getattr(answered, name) for name in kept), "the goals to be forgotten")
    known = ("_futures", "_feedback_callbacks", "_pending_result_requests")
    wait_for(lambda: not any(getattr(asked, name) for name in known), "the requests to be forgotten")
    client.destroy()
    server.destroy()
