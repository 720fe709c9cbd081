"""Which nodes are there: no more than have endpoints, however the news of their end arrived."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from ros_harness import Child, Probe, wait_for

pytestmark = [pytest.mark.graph, pytest.mark.slow]

WATCHER = """
import rclpy
from dasha_ros.ros.transport.endpoints import node_names

rclpy.init()
node, before = rclpy.create_node("watcher"), None
while True:
    rclpy.spin_once(node, timeout_sec=0.02)
    names = node_names(node)
    if names != before:
        print("sees:", *names, flush=True)
        before = names
"""


@pytest.fixture
def domain(ros_env):
    return int(ros_env["ROS_DOMAIN_ID"])


@contextmanager
def named(domain: int, name: str) -> Iterator[None]:
    """A process's worth of one node with a dozen topics."""
    import rclpy
    from std_msgs.msg import String

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node(name, context=context)
    for number in range(12):
        node.create_publisher(String, f"topic_{number}", 10)
    try:
        yield
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_a_name_that_two_nodes_have_occurs_twice(domain):
    from dasha_ros.ros.transport.endpoints import node_names

    probe = Probe(domain, "/dasha")
    try:
        own = probe.node.get_fully_qualified_name()
        with named(domain, "twin"), named(domain, "twin"):
            probe.until(lambda: node_names(probe.node) == [own, "/twin", "/twin"], "both")
        probe.until(lambda: node_names(probe.node) == [own], "their end")
    finally:
        probe.close()


def test_nodes_that_left_while_nobody_looked_are_gone(spawn, domain):
    """ROS's own list keeps about one in four of these for ever."""
    watcher = spawn.python("-c", WATCHER)
    for number in range(6):
        with named(domain, f"guest_{number}"):
            watcher.wait_for_output(f"guest_{number}")
            watcher.send(signal.SIGSTOP)
            _, status = os.waitpid(watcher.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
        seen = len(watcher.lines)
        watcher.send(signal.SIGCONT)
        wait_for(partial(_is_alone, watcher, seen), "the guest's end")


def test_what_only_the_list_of_ros_names_is_not_there(domain, monkeypatch):
    from dasha_ros.ros.transport.endpoints import node_names

    probe = Probe(domain, "/dasha")
    try:
        truth = probe.node.get_node_names_and_namespaces()
        ghosts = [("camera", "/dasha"), truth[0]]
        monkeypatch.setattr(probe.node, "get_node_names_and_namespaces", lambda: [*truth, *ghosts])
        assert node_names(probe.node) == [probe.node.get_fully_qualified_name()]
    finally:
        probe.close()


def _is_alone(watcher: Child, seen: int) -> bool:
    return "sees: /watcher" in watcher.lines[seen:]
