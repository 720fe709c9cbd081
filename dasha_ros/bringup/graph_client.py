"""The command line's own node: it watches a running graph and calls its services."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

from dasha_ros.bringup.environment import command_profile, domain_trouble, environment
from dasha_ros.bringup.graph import checked_namespace
from dasha_ros.config import ConfigError
from dasha_ros.ros.transport.endpoints import node_names
from dasha_ros.ros.transport.joining import joining
from dasha_ros.ros.transport.retrying_call import RetryingCall
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.system.enclave import enclave_arguments
from dasha_ros.system.folders import NO_LOG_FILES

T = TypeVar("T")

UNREACHABLE = "unreachable"
"""Lifecycle state of a node that does not answer."""

STATE_AFTER = {
    Transition.TRANSITION_CONFIGURE: "inactive",
    Transition.TRANSITION_ACTIVATE: "active",
    Transition.TRANSITION_DEACTIVATE: "inactive",
    Transition.TRANSITION_CLEANUP: "unconfigured",
}
"""The lifecycle state after each transition."""

COMMAND_NODE = "dasha_cli_"
"""How the names of commands' own nodes begin; the process id follows."""

SPIN_S = 0.05
"""Longest sleep between two checks of a condition or of Ctrl-C."""


class GraphClient:
    """A node whose executor runs only while a method waits.

    Ctrl-C stays an ordinary ``KeyboardInterrupt``: the context is not the default one, so rclpy installs no
    signal handlers, and a goal can still be cancelled.
    """

    def __init__(self, namespace: str = "/dasha", simulated_time: bool = False) -> None:
        """Join the graph.

        Args:
            namespace: Relative names are resolved in it.
            simulated_time: Take the time from ``/clock``.

        Raises:
            ConfigError: The namespace or ``ROS_DOMAIN_ID`` is invalid, or ROS can't start.
        """
        if trouble := domain_trouble():
            raise ConfigError(trouble)
        self.namespace = checked_namespace(namespace)
        os.environ.update(environment())
        self.context = rclpy.Context()
        # Commands print their messages themselves, so ROS needs no log file.
        enclave = enclave_arguments(f"{self.namespace}/tools")
        with command_profile(), joining():
            rclpy.init(args=["--ros-args", NO_LOG_FILES, *enclave], context=self.context)
            self.node = rclpy.create_node(
                f"{COMMAND_NODE}{os.getpid()}",
                namespace=self.namespace,
                context=self.context,
                start_parameter_services=False,
                enable_rosout=False,
                parameter_overrides=[Parameter("use_sim_time", value=simulated_time)],
            )
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def __enter__(self) -> GraphClient:
        """Return the client itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the graph."""
        self.close()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def until(self, condition: Callable[[], T], timeout_s: float) -> T | None:
        """Run callbacks until ``condition`` is true and return it; ``None`` after ``timeout_s``."""
        end = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() >= end:
                return None
            self._executor.spin_once(timeout_sec=SPIN_S)
        return value

    def newest(self, kind: Any, topic: str, qos: Any, timeout_s: float) -> Any | None:
        """Wait for one message of a topic; ``None`` if none arrives."""
        messages: list[Any] = []
        subscription = subscribe(self.node, kind, topic, messages.append, qos)
        self.until(lambda: messages, timeout_s)
        self.node.destroy_subscription(subscription)
        return messages[0] if messages else None

    def node_names(self) -> list[str]:
        """Full names of all discovered nodes, including its own; a name that two nodes have occurs twice."""
        return node_names(self.node)

    def call(self, kind: Any, name: str, request: Any, timeout_s: float) -> Any | None:
        """Call a service and return its answer; ``None`` if there is none within ``timeout_s``.

        The request may be sent more than once.
        """
        service = self.node.create_client(kind, name)
        try:
            end = time.monotonic() + timeout_s
            if not self.until(service.service_is_ready, timeout_s):
                return None
            return self.until(RetryingCall(service, request).answer, end - time.monotonic())
        finally:
            self.node.destroy_client(service)

    def change_state(self, node: str, transition: int, timeout_s: float) -> bool:
        """Ask a lifecycle node for a transition; returns whether it reached the new state in time.

        Args:
            node: The node's name, relative to the namespace or full.
            transition: One of `STATE_AFTER`.
            timeout_s: How long to wait for the answer, and once more for its state [s].
        """
        request = ChangeState.Request(transition=Transition(id=transition))
        answer = self.call(ChangeState, f"{node}/change_state", request, timeout_s)
        if answer is None or answer.success:
            return answer is not None
        # If the first reply was lost, the node has already changed and refuses the repeated request.
        state = self.call(GetState, f"{node}/get_state", GetState.Request(), timeout_s)
        return state is not None and state.current_state.label == STATE_AFTER[transition]


class LifecycleWatch:
    """Polls nodes for their lifecycle states without blocking."""

    def __init__(self, client: GraphClient, nodes: Iterable[str]) -> None:
        self._client = client
        self._services = {n: client.node.create_client(GetState, f"{n}/get_state") for n in nodes}
        self._pending: dict[str, tuple[Any, float]] = {}
        self.states: dict[str, str] = dict.fromkeys(self._services, UNREACHABLE)
        """The newest known state of every node, by its full name."""

    ANSWER_S = 2.0
    """A request without an answer for this long is sent again: its node may have been restarted."""

    def poll(self) -> bool:
        """Run callbacks briefly, and return whether all nodes are active."""
        self._client.until(lambda: False, SPIN_S)
        now = time.monotonic()
        for name, service in self._services.items():
            future, asked_at = self._pending.get(name, (None, 0.0))
            if future is not None and future.done():
                answer = future.result()
                if answer is not None:
                    self.states[name] = answer.current_state.label
                del self._pending[name]
            elif future is not None and now - asked_at > self.ANSWER_S:
                service.remove_pending_request(future)
                del self._pending[name]
                self.states[name] = UNREACHABLE
            elif future is None and service.service_is_ready():
                self._pending[name] = (service.call_async(GetState.Request()), now)
            elif future is None:
                self.states[name] = UNREACHABLE
        return all(state == "active" for state in self.states.values())

    def close(self) -> None:
        """Stop polling."""
        for service in self._services.values():
            self._client.node.destroy_client(service)
