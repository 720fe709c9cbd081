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
from dasha_ros.config.qos_overrides import POLICIES, PREFIX, QosOverride, parse, refusal, refusal_in

_KINDS = {policy: QoSPolicyKind[policy.upper()] for policy in POLICIES}
_SETTLED = 30
"""After so many looks of an active node, the others have loaded their models and made their topics."""


class QosOverrides:
    """The overrides that a node was given, and which of them had an effect.

    rclpy's constructor makes topics before and after it knows the parameters: they are read anew each time.
    """

    def __init__(self, node: Node) -> None:
        """``node`` need not be constructed yet."""
        self._node = node
        self._done: set[str] = set()
        """Overrides that had an effect, or that were warned of."""
        self._looks = 0

    @property
    def _given(self) -> dict[str, Any]:
        # Until a parameter is declared, rclpy keeps its start value only here.
        given = self._node._parameter_overrides.items()
        return {name: parameter.value for name, parameter in given if name.startswith(PREFIX)}

    def check(self) -> None:
        """Refuse what is impossible for any topic of the graph.

        Raises:
            ConfigError: A value is impossible.
        """
        for name, value in self._given.items():
            _refuse(name, value, refusal_in(self._node.get_namespace(), name, value))

    def apply(
        self, topic: str, qos: QoSProfile, side: Literal["publisher", "subscription"]
    ) -> tuple[QoSProfile, QoSOverridingOptions | None]:
        """The profile of a topic, as a copy that rclpy may change, and the policies that the user overrides.

        Raises:
            ConfigError: A given value is impossible.
        """
        prefix = f"{PREFIX}{self._node.resolve_topic_name(topic)}.{side}."
        given = {name.removeprefix(prefix): v for name, v in self._given.items() if name.startswith(prefix)}
        for policy, value in given.items():
            _refuse(f"{prefix}{policy}", value, refusal(policy, value))
            self._done.add(f"{prefix}{policy}")
        if not given:
            return qos, None
        return copy(qos), QoSOverridingOptions([_KINDS[policy] for policy in given])

    def look(self) -> None:
        """Warn once of overrides that nobody in the graph can use.

        A file may give one block to all nodes, so an override that another node uses is right. Call it about
        once a second while the node is active.
        """
        self._looks += 1
        for name in sorted(self._given.keys() - self._done):
            override = parse(name)
            if isinstance(override, QosOverride) and self._looks < _SETTLED:
                continue
            self._done.add(name)
            if why := self._useless(override) if isinstance(override, QosOverride) else override:
                self._node.get_logger().warning(f"{name} has no effect: {why}")

    def _useless(self, override: QosOverride) -> str:
        node, (topic, side, _) = self._node, override
        count = node.count_publishers if side == "publisher" else node.count_subscribers
        is_ours = override.is_in(node.get_namespace())
        return "" if count(topic) or not is_ours else f"no node has a {side} of {topic}"


def _refuse(name: str, value: Any, why: str) -> None:
    if why:
        raise ConfigError(f"{name} = {value!r}: {why}")
