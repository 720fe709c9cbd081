"""Which node of a graph may publish which topic, and which nodes do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node

_PUBLISHERS = {
    "camera/camera_info": ("camera_driver",),
    "camera/capture": ("camera_driver",),
    "camera/image_raw": ("camera_driver",),
    "camera/limits": ("camera_driver",),
    "camera/state": ("camera_driver",),
    "focus/belief": ("low_level_agent",),
    "focus/state": ("focus_server",),
    "lens/info": ("lens_driver",),
    "lens/state": ("lens_driver",),
    "perception/annotated/compressed": ("perception",),
    "perception/info": ("perception",),
    "perception/percept": ("perception",),
    "twin/lens": ("lens_driver", "device_emulator"),
    "twin/world": ("twin_world",),
}
EXCLUSIVE_TOPICS = tuple(_PUBLISHERS)
"""Topics that only one node of a graph publishes."""


def allowed_publishers(node: Node, topic: str) -> frozenset[str]:
    """Full names of the nodes that may publish a topic in a node's graph; empty: any node may."""
    return frozenset(f"{node.get_namespace().rstrip('/')}/{name}" for name in _PUBLISHERS.get(topic, ()))


def sender_of(message: Any) -> str | None:
    """Full name of the node that a message names as its sender; empty when it names none.

    Returns:
        ``None`` for a type without such a field, such as an image.
    """
    instance = getattr(message, "node", None)
    if instance is None:
        instance = getattr(message, "driver", None)
    return None if instance is None else instance.partition("#")[0]


def names_its_sender(kind: Any) -> bool:
    """Whether messages of a type name their sender."""
    return not kind.get_fields_and_field_types().keys().isdisjoint({"node", "driver"})


def publishers_of(node: Node, topic: str) -> list[str]:
    """Full names of the nodes that publish a topic, once per publisher."""
    full = node.resolve_topic_name(topic)
    return sorted(
        f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        for info in node.get_publishers_info_by_topic(full)
    )


def conflict_of(topic: str, publishers: Iterable[str]) -> str:
    """What is wrong if these nodes publish a topic that only one node may; empty: nothing."""
    names = sorted(publishers)
    if len(names) < 2:
        return ""
    unique = dict.fromkeys(names)
    twice = [f"{name} ({names.count(name)} times)" if names.count(name) > 1 else name for name in unique]
    if len(unique) == 1:
        return (
            f"{len(names)} nodes called {names[0]} publish {topic}: two graphs run in one namespace; "
            "stop one of them, or give it a namespace or a ROS_DOMAIN_ID of its own"
        )
    return (
        f"{len(names)} nodes publish {topic}: {' and '.join(twice)}; stop the one that does not belong here"
    )
