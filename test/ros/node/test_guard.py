"""Callbacks of every kind that raise: the node goes on and reports it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ros_harness import PATIENCE_S, Probe, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.action import AdjustFocus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from std_msgs.msg import String
from std_srvs.srv import SetBool

from dasha_ros.config import NodeConfig
from dasha_ros.config.parameter import parameter
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.goals.simple_action_server import SimpleActionServer
from dasha_ros.ros.node.executor import SafeMultiThreadedExecutor, SafeSingleThreadedExecutor
from dasha_ros.ros.node.guard import Guard
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.transport.qos import DIAGNOSTICS

pytestmark = pytest.mark.graph

SORTS = (
    "subscription",
    "broken message",
    "timer",
    "service",
    "guard condition",
    "goal request",
    "goal",
    "answer",
    "task",
    "fast subscriber",
    "parameter",
    "exit",
)


class Log:
    """In place of a logger."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, line: str) -> None:
        self.lines.append(line)


def fail_at_one_place(what: object) -> None:
    raise ValueError(what)


def fail_at_another(what: object) -> None:
    raise ValueError(what)


def caught(guard: Guard, fail: Callable[[object], None], what: object) -> None:
    try:
        fail(what)
    except ValueError as error:
        guard.caught("a test", error)


def test_a_repeated_error_is_logged_at_powers_of_ten_and_a_new_one_at_once() -> None:
    log, told = Log(), []
    guard = Guard(log, lambda sentence, is_new: told.append((sentence, is_new)))
    for i in range(2500):
        caught(guard, fail_at_one_place, i)
    assert [is_new for _, is_new in told] == [True] + 2499 * [False]
    assert [line.splitlines()[0] for line in log.lines] == [
        "internal error at a test: ValueError: 0; the node goes on",
        "internal error at a test: ValueError: 9 (10 times so far)",
        "internal error at a test: ValueError: 99 (100 times so far)",
        "internal error at a test: ValueError: 999 (1000 times so far)",
    ]
    assert "fail_at_one_place" in log.lines[0], "where it came from is said"
    caught(guard, fail_at_another, 0)
    assert "fail_at_another" in log.lines[-1]


def test_an_error_whose_words_are_no_text_is_logged(probe: Probe) -> None:
    told: list[str] = []
    guard = Guard(probe.node.get_logger(), lambda sentence, _: told.append(sentence))
    caught(guard, fail_at_one_place, "no space in a\udcff")
    assert told == ["internal error at a test: ValueError: no space in a\\xff"]


def test_errors_that_are_always_new_fill_neither_memory_nor_log() -> None:
    log = Log()
    guard = Guard(log)
    for i in range(5000):
        guard.caught(f"place {i}", ValueError(i))
    assert len(log.lines) < 250
    assert len(guard._seen) < 250


class ClumsyConfig(NodeConfig):
    """One parameter that may change."""

    number: int = parameter(1, "Any.", ge=0, le=9)


class Clumsy(DashaNode[ClumsyConfig]):
    """Every callback raises."""

    config_model = ClumsyConfig

    def __init__(self) -> None:
        super().__init__("clumsy")
        self.spun, self.over = threading.Event(), threading.Event()

    def drop(self, *_: Any) -> Any:
        raise ValueError("dropped")

    def leave(self, *_: Any) -> Any:
        raise SystemExit(3)

    def reconfigure(self, config: ClumsyConfig) -> None:
        self.drop()


@pytest.fixture(params=[SafeSingleThreadedExecutor, SafeMultiThreadedExecutor])
def clumsy(request: pytest.FixtureRequest, probe: Probe) -> Iterator[Clumsy]:
    """A node that is served as `ros.node.run` does."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    rclpy.init(args=["--ros-args", "-r", "__ns:=/dasha"], signal_handler_options=SignalHandlerOptions.NO)
    node = Clumsy()
    executor = request.param() if request.param is SafeSingleThreadedExecutor else request.param(4)
    executor.add_node(node)

    def live() -> None:
        while not node.over.is_set():
            executor.spin_once(0.1)

    thread = threading.Thread(target=live)
    thread.start()
    yield node
    assert thread.is_alive(), "a callback has ended the thread that serves the node"
    node.over.set()
    thread.join(PATIENCE_S)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()


def provoke(sort: str, node: Clumsy, probe: Probe) -> None:
    """Make a callback of one kind raise."""
    if sort in ("subscription", "broken message", "exit"):
        hear = node.leave if sort == "exit" else node.drop
        subscription = node.create_subscription(String, "clumsy/letters", hear, 10)
        if sort == "broken message":
            # Bytes that rclpy can't deserialize.
            subscription.msg_type = object
        probe.publisher(String, "clumsy/letters", 10).publish(String(data="a"))
    elif sort == "timer":
        node.create_timer(0.01, node.drop)
    elif sort == "service":
        node.create_service(SetBool, "clumsy/service", node.drop)
        answer = probe.call(SetBool, "clumsy/service", SetBool.Request(data=True))
        assert not answer.success, "who asked is answered"
    elif sort == "guard condition":
        node.create_guard_condition(node.drop).trigger()
    elif sort in ("goal request", "goal"):
        refuse, work = (node.drop, None) if sort == "goal request" else (lambda _: "", node.drop)
        SimpleActionServer(node, AdjustFocus, "clumsy/act", refuse, work, ends_s=1.0)
        client = ActionClient(probe.node, AdjustFocus, "clumsy/act")
        probe.until(client.server_is_ready, "the action")
        sent = client.send_goal_async(AdjustFocus.Goal())
        handle = probe.result(sent, "an answer")
        if sort == "goal":
            answer = probe.result(handle.get_result_async(), "the result")
            assert answer.result.error_code == ErrorCode.INTERNAL
        else:
            assert not handle.accepted
    elif sort == "answer":
        node.create_service(SetBool, "clumsy/fine", lambda _, response: response)
        client = node.create_client(SetBool, "clumsy/fine")
        wait_for(client.service_is_ready, "the service")
        client.call_async(SetBool.Request()).add_done_callback(node.drop)
    elif sort == "task":
        node.executor.create_task(node.drop)
    elif sort == "fast subscriber":
        subscriber = FastSubscriber(node)
        subscriber.listen(String, "clumsy/letters", node.drop, QoSProfile(depth=10))
        probe.publisher(String, "clumsy/letters", 10).publish(String(data="a"))
        wait_for(lambda: node.health._counts["internal_errors"], "the error")
        subscriber.close()
    elif sort == "parameter":
        node.set_parameters([Parameter("number", value=2)])


@pytest.mark.parametrize("sort", SORTS)
def test_a_node_survives_a_callback_that_raises_and_reports_it(
    sort: str, clumsy: Clumsy, probe: Probe
) -> None:
    told = probe.subscribe(DiagnosticArray, "/diagnostics", DIAGNOSTICS)
    clumsy.health.set_activity("all is well")
    provoke(sort, clumsy, probe)

    def shown() -> Any:
        for array in told:
            for status in array.status:
                counted = {pair.key: pair.value for pair in status.values}.get("internal_errors", "0")
                if int(counted) >= 1 and status.level in (DiagnosticStatus.WARN, DiagnosticStatus.ERROR):
                    return status
        return None

    status = probe.until(shown, "the diagnostics to say so")
    assert "dropped" in status.message or "SystemExit" in status.message or sort == "broken message"
    # The node still serves requests.
    assert probe.lifecycle_state("clumsy") == "unconfigured"
