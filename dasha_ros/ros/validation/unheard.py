"""Topics that do not reach a node: their publisher offers a lower quality of service than it asks for.

ROS 2 does not connect two such endpoints, and only a line in a log tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

from dasha_ros.ros.node.condition import Condition, failure
from dasha_ros.ros.transport.endpoints import node_of
from dasha_ros.ros.validation.publishers import allowed_publishers


def unheard_on(node: Node, topic: str, listener: str = "") -> str:
    """Sentences about the nodes that a topic does not reach; empty: it reaches all.

    Args:
        node: Shows the graph.
        topic: Full name of the topic.
        listener: Full name of the node that matters; empty: all.
    """
    allowed = allowed_publishers(node, topic.removeprefix(f"{node.get_namespace().rstrip('/')}/"))
    offers = node.get_publishers_info_by_topic(topic)
    # What a stranger offers beside the topic's own node is its own affair.
    offers = [info for info in offers if node_of(info) in allowed] or offers
    if not offers:
        return ""
    return "; ".join(
        _sentence(topic, offers, asker)
        for asker in node.get_subscriptions_info_by_topic(topic)
        if listener in ("", node_of(asker)) and all(_reason(offer, asker) for offer in offers)
    )


def unheard_by(node: Node) -> str:
    """Sentences about the topics that do not reach a node; empty: it hears all that it asks for."""
    name = node.get_fully_qualified_name()
    topics = dict.fromkeys(subscription.topic_name for subscription in node.subscriptions)
    return "; ".join(filter(None, (unheard_on(node, topic, name) for topic in topics)))


def nothing_heard(node: Node, what: str) -> str:
    """A sentence about something that a node did not hear, with the reason if the graph shows it."""
    why = unheard_by(node)
    return f"{what}: {why}" if why else what


class Unheard:
    """Watches which topics do not reach a node."""

    def __init__(self, node: Node) -> None:
        self._node, self._sentences = node, ""

    def look(self) -> None:
        """Look at the graph. Call it about once a second."""
        self._sentences = unheard_by(self._node)

    def condition(self) -> Condition | None:
        """An error while a topic does not reach the node."""
        return failure(self._sentences) if self._sentences else None


def _reason(offer: TopicEndpointInfo, asker: TopicEndpointInfo) -> str:
    return _mismatch(offer.qos_profile, asker.qos_profile)


def _mismatch(offered: QoSProfile, asked: QoSProfile) -> str:
    compatibility, reason = qos_check_compatible(offered, asked)
    return reason.removeprefix("ERROR: ").rstrip("; ") if compatibility == QoSCompatibility.ERROR else ""


def _sentence(topic: str, offers: Sequence[TopicEndpointInfo], asker: TopicEndpointInfo) -> str:
    names, listener = " and ".join(dict.fromkeys(map(node_of, offers))), node_of(asker)
    as_reliable = copy(offers[0].qos_profile)
    as_reliable.reliability = ReliabilityPolicy.RELIABLE
    if not _mismatch(as_reliable, asker.qos_profile):
        return (
            f"{topic} does not reach {listener}, which asks for it reliably, while {names} sends it best "
            f"effort: give both the same reliability (nodes of this package take "
            f"qos_overrides.{topic}.subscription.reliability and qos_overrides.{topic}.publisher.reliability)"
        )
    return f"{topic} does not reach {listener} from {names}: {_reason(offers[0], asker)}"
