"""Nodes and publishers that the graph shows: which process of a node commands, and whether it is there."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.topic_endpoint_info import TopicEndpointInfo

from dasha_ros.freshness.restorable import owner_id, parse_owner


def node_names(node: Node) -> list[str]:
    """Full names of all nodes in the graph, this one too; a name that two nodes have occurs twice.

    The graph's own list may keep nodes that have left, for ever: when the news that a node leaves overtakes
    what it said about its topics, the latter enters it again. Its publishers do leave. Every node logs, or
    tells of its parameters; one that does neither is not found.
    """
    alive = Counter[str]()
    for topic in ("/rosout", "/parameter_events"):
        alive |= Counter(map(node_of, node.get_publishers_info_by_topic(topic)))
    names = Counter(f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces())
    return sorted((names & alive).elements())


def publishers(node: Node, topic: str) -> dict[bytes, str]:
    """The full node name of each publisher of a topic, by gid. The topic's name may be relative."""
    return {
        bytes(info.endpoint_gid): node_of(info)
        for info in node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    }


def node_of(endpoint: TopicEndpointInfo) -> str:
    """The full name of the node that a publisher or subscription belongs to."""
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


def create_commander(node: Node, kind: Any, topic: str, qos: QoSProfile) -> tuple[Publisher, str]:
    """Create a publisher of commands.

    Returns:
        The publisher, and the owner that commands of the node's goals name. If the graph does not show the
        publisher's gid, the owner is only the node's name.
    """
    before = publishers(node, topic)
    publisher = node.create_publisher(kind, topic, qos)
    name = node.get_fully_qualified_name()
    new = [gid for gid, its_node in publishers(node, topic).items() if gid not in before and its_node == name]
    return publisher, owner_id(name, new[0]) if len(new) == 1 else name


def endpoints_of(node: Node, topic: str, owner: str) -> frozenset[bytes]:
    """The publishers of a topic that belong to an owner or to another process of its name.

    A process that was suspended for longer than its lease rediscovers the others, but may never learn their
    node names, because Fast DDS does not resend what was acknowledged once. So a matching gid is enough.
    """
    name, gid = parse_owner(owner)
    return frozenset(
        its_gid for its_gid, its_node in publishers(node, topic).items() if its_gid == gid or its_node == name
    )
