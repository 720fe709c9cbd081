"""``qos_overrides``: the user's quality of service for a topic, from parameters with ROS 2's own names.

A parameter is declared only where it is given, so that nobody pays for hundreds of others.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from dasha_ros.config import ConfigError

_DEEPEST = 10_000
_CHOICES = {
    "history": ("keep_last", "keep_all"),
    "reliability": ("reliable", "best_effort", "system_default"),
}
_KINDS = {
    "history": QoSPolicyKind.HISTORY,
    "depth": QoSPolicyKind.DEPTH,
    "reliability": QoSPolicyKind.RELIABILITY,
}
"""What may be overridden. Durability may not: who comes late would miss the states that it needs."""


def overridden(
    node: Node, topic: str, qos: QoSProfile, entity: Literal["publisher", "subscription"]
) -> tuple[QoSProfile, QoSOverridingOptions | None]:
    """The profile of a topic, as a copy that rclpy may change, and the policies that the user overrides.

    Raises:
        ConfigError: A given value is impossible.
    """
    prefix = f"qos_overrides.{node.resolve_topic_name(topic)}.{entity}."
    # Until a parameter is declared, rclpy keeps its start value only here.
    given = {
        name.removeprefix(prefix): parameter.value
        for name, parameter in node._parameter_overrides.items()
        if name.startswith(prefix)
    }
    for policy, value in given.items():
        if reason := _refusal(policy, value):
            raise ConfigError(f"{prefix}{policy} = {value!r}: {reason}")
    if not given:
        return qos, None
    return copy(qos), QoSOverridingOptions([_KINDS[policy] for policy in given])


def _refusal(policy: str, value: Any) -> str:
    if policy not in _KINDS:
        return f"only {', '.join(_KINDS)} can be overridden"
    if policy in _CHOICES:
        return "" if value in _CHOICES[policy] else f"write {' or '.join(_CHOICES[policy])}"
    is_depth = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _DEEPEST
    return "" if is_depth else f"write a whole number from 1 to {_DEEPEST}"
