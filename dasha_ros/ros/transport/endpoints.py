"""Publishers as the graph shows them: which process of a node commands, and whether it still can."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from dasha_ros.freshness.tentative import owner_id, parse_owner


def publishers(node: Node, topic: str) -> dict[bytes, str]:
    """Full name of the node of each publisher of a topic, by gid. A topic's name may be relative."""
    return {
        bytes(info.endpoint_gid): f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        for info in node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    }


def create_commander(node: Node, kind: Any, topic: str, qos: QoSProfile) -> tuple[Publisher, str]:
    """Create a publisher of commands.

    Returns:
        It, and the owner that commands of its node's goals name. Where the graph does not tell which gid
        the publisher has, the owner is the node's name alone.
    """
    before = publishers(node, topic)
    publisher = node.create_publisher(kind, topic, qos)
    name = node.get_fully_qualified_name()
    new = [gid for gid, its_node in publishers(node, topic).items() if gid not in before and its_node == name]
    return publisher, owner_id(name, new[0]) if len(new) == 1 else name


def endpoints_of(node: Node, topic: str, owner: str) -> frozenset[bytes]:
    """The publishers of a topic that belong to an owner or to another process of its name.

    A process that was stopped for longer than its lease sees the others again, but may never learn their
    nodes' names (Fast DDS does not send again what was acknowledged once). So the gid alone counts, too.
    """
    name, gid = parse_owner(owner)
    return frozenset(
        its_gid for its_gid, its_node in publishers(node, topic).items() if its_gid == gid or its_node == name
    )
