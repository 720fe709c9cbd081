"""Handles messages of any type: names topics, finds their types, prints YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.validate_full_topic_name import validate_full_topic_name

if TYPE_CHECKING:
    from rclpy.node import Node


class BadTopicError(Exception):
    """The name is not a valid topic name."""


def full_topic_name(node: Node, topic: str) -> str:
    """The topic's absolute name; a relative name belongs to the node's namespace.

    Raises:
        BadTopicError: ROS does not allow the name.
    """
    try:
        name = expand_topic_name(topic, node.get_name(), node.get_namespace())
        validate_full_topic_name(name)
    except (TypeError, ValueError, InvalidTopicNameException):
        raise BadTopicError(
            f"{topic!r} is not a topic name: use letters, digits and underscores, no digit first, separated "
            "by single slashes, e.g. focus/state"
        ) from None
    return str(node.resolve_topic_name(topic))


def types_of_topic(node: Node, topic: str) -> list[str]:
    """The types with which a topic is published, that of the node's own namespace first; usually one."""
    publishers = node.get_publishers_info_by_topic(topic)
    publishers.sort(key=lambda info: info.node_namespace != node.get_namespace())
    return list(dict.fromkeys(str(info.topic_type) for info in publishers))


def plain(value: Any, arrays: bool = True) -> Any:
    """A message, or a part of one, as dictionaries, lists and numbers.

    Args:
        value: The message or part.
        arrays: Whether to include whole arrays; otherwise only their length.
    """
    if hasattr(value, "get_fields_and_field_types"):
        return {name: plain(getattr(value, name), arrays) for name in value.get_fields_and_field_types()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, bytes):  # rclpy's form of a single ``byte``
        return int.from_bytes(value, "little")
    items = list(value)
    if not arrays and items and not hasattr(items[0], "get_fields_and_field_types"):
        return f"<array of {len(items)}>"
    return [plain(item, arrays) for item in items]


def as_yaml(message: Any, arrays: bool = True) -> str:
    """A message as YAML; see `plain`."""
    return str(
        yaml.safe_dump(
            plain(message, arrays), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
        )
    )
