"""The names and values of ROS 2's ``qos_overrides`` parameters, and what may be overridden."""

from __future__ import annotations

from typing import Any, NamedTuple

PREFIX = "qos_overrides."
POLICIES = ("history", "depth", "reliability")
"""What may be overridden. Durability may not: who comes late would miss the states that it needs."""
SIDES = ("publisher", "subscription")

_DEEPEST = 10_000
_CHOICES = {
    "history": ("keep_last", "keep_all"),
    "reliability": ("reliable", "best_effort", "system_default"),
}


class QosOverride(NamedTuple):
    """What a parameter overrides."""

    topic: str
    """Its full name."""
    side: str
    """One of `SIDES`."""
    policy: str

    def is_in(self, namespace: str) -> bool:
        """Whether the topic belongs to the nodes of a namespace."""
        return self.topic.startswith(f"{namespace.rstrip('/')}/")


def parse(parameter: str) -> QosOverride | str:
    """Take the name of a parameter apart, or say why nobody understands it.

    Args:
        parameter: A name that begins with `PREFIX`.
    """
    parts = parameter.removeprefix(PREFIX).split(".")
    if len(parts) != 3:
        return "write qos_overrides, the topic, publisher or subscription, and the policy"
    topic, side, policy = parts
    if not topic.startswith("/"):
        return f"write the topic's full name, which begins with a slash, instead of {topic!r}"
    if side not in SIDES:
        return f"write publisher or subscription instead of {side!r}"
    return QosOverride(topic, side, policy)


def refusal(policy: str, value: Any) -> str:
    """Why the topics of this package can't have a value, or ""."""
    if policy not in POLICIES:
        return f"only {', '.join(POLICIES)} can be overridden"
    if policy in _CHOICES:
        return "" if value in _CHOICES[policy] else f"write {' or '.join(_CHOICES[policy])}"
    is_depth = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _DEEPEST
    return "" if is_depth else f"write a whole number from 1 to {_DEEPEST}"


def refusal_in(namespace: str, parameter: str, value: Any) -> str:
    """Why a value is impossible, or ""; policies of other packages' topics are their own affair.

    Args:
        namespace: Of the nodes.
        parameter: A name that begins with `PREFIX`.
        value: Its value.
    """
    override = parse(parameter)
    if isinstance(override, str):
        return ""
    is_judged = override.is_in(namespace) or override.policy in POLICIES
    return refusal(override.policy, value) if is_judged else ""
