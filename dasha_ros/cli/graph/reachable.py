"""Which nodes and topics of a graph are visible from this machine."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass

from rclpy.node import Node

from dasha_ros.bringup.graph_client import UNREACHABLE, GraphClient, LifecycleWatch
from dasha_ros.bringup.rigs import RIGS
from dasha_ros.config import NODES
from dasha_ros.ros.transport.endpoints import node_names
from dasha_ros.ros.validation.publishers import EXCLUSIVE_TOPICS, conflict_of, publishers_of
from dasha_ros.ros.validation.unheard import unheard_on

_DISCOVERY_S = 1.0
"""Least time to look [s]: discovery may not have found all nodes before."""


@dataclass(frozen=True)
class Reached:
    """The visible part of a graph."""

    namespace: str
    states: dict[str, str]
    """Lifecycle state of the graph's nodes, by full name; empty: there is no graph."""
    others: tuple[str, ...]
    """Other nodes, in any namespace."""
    topics: dict[str, tuple[str, int, int]]
    """Type, number of publishers and number of subscriptions of the topics in the namespace."""
    strangers: tuple[str, ...] = ()
    """Sentences about nodes that publish in the name of the graph's nodes."""
    unheard: tuple[str, ...] = ()
    """Sentences about topics that do not reach a node that listens to them."""

    def lines(self, is_wanted: bool = False) -> list[str]:
        """A description for people.

        Args:
            is_wanted: Whether a graph must be there.
        """
        if not self.states:
            mark = "✗ " if is_wanted else ""
            seen = f"; other nodes: {', '.join(self.others)}" if self.others else ""
            return [
                f"{mark}no node of this package answers in {self.namespace}; start it with `dasha up`{seen}"
            ]
        width = max(len(name) for name in [*self.states, *self.topics])
        return [
            *(line for name, state in self.states.items() for line in _of_node(name, state, width)),
            *(f"✗ {sentence}" for sentence in (*self.strangers, *self.unheard)),
            *(f"other node: {name}" for name in self.others),
            *(
                f"{topic:<{width}}  {kind}, {publishers} publishing, {subscriptions} listening"
                for topic, (kind, publishers, subscriptions) in sorted(self.topics.items())
            ),
        ]

    @property
    def silent(self) -> tuple[str, ...]:
        """The nodes of the graph that do not answer."""
        return tuple(name for name, state in self.states.items() if state == UNREACHABLE)


def _of_node(name: str, state: str, width: int) -> list[str]:
    mark = {"active": "✓", UNREACHABLE: "✗"}.get(state, "·")
    if state == UNREACHABLE:
        advice = "it died, hangs or was not started: see its log, stop its process and start it again"
        return [f"{mark} {name:<{width}}  does not answer", f"    {advice} (`dasha up` does so by itself)"]
    if state != "active":
        return [f"{mark} {name:<{width}}  {state}", "    its log and `dasha echo /diagnostics` say why"]
    return [f"{mark} {name:<{width}}  {state}"]


def expected(seen: Set[str], topics: Set[str]) -> list[str]:
    """The nodes that should be there: those of the smallest device set that contains all visible nodes.

    Args:
        seen: Names of the nodes, without the namespace.
        topics: Names of the topics, without the namespace.
    """
    known = seen & NODES.keys()
    if not known:
        return []
    if any(topic.startswith("twin/") for topic in topics):
        known |= {"twin_world"}
    rigs = sorted((rig.nodes for rig in RIGS.values()), key=len)
    rig = next((nodes for nodes in rigs if known - {"trainer"} <= set(nodes)), ())
    return sorted(known | set(rig))


def too_many_nodes(names: list[str], known: Set[str]) -> tuple[str, ...]:
    """Sentences about nodes of the graph that exist more than once.

    Args:
        names: Full names of all nodes, once per node.
        known: Full names of the nodes that belong to a graph.
    """
    return tuple(
        f"{names.count(name)} nodes are called {name}: two graphs run in one namespace; stop one of them, "
        "or give it a namespace or a ROS_DOMAIN_ID of its own"
        for name in sorted(set(names) & known)
        if names.count(name) > 1
    )


def strangers_of(node: Node, known: Set[str]) -> tuple[str, ...]:
    """Sentences about nodes that publish in the name of the graph's nodes.

    Args:
        node: A node in the graph's namespace.
        known: Full names of the nodes that belong to a graph.
    """
    return too_many_nodes(node_names(node), known) + tuple(
        sentence for topic in EXCLUSIVE_TOPICS if (sentence := conflict_of(topic, publishers_of(node, topic)))
    )


def look(namespace: str, seconds: float) -> Reached:
    """Look at a graph.

    Args:
        namespace: Namespace of the nodes.
        seconds: How long to wait for answers; less if all nodes of a device set are active.

    Raises:
        ConfigError: The namespace is invalid.
    """
    with GraphClient(namespace) as client:
        inside = client.namespace + "/"
        watch = LifecycleWatch(client, [inside + name for name in NODES])
        own = client.node.get_fully_qualified_name()
        began = time.monotonic()

        def names() -> set[str]:
            return set(client.node_names()) - {own}

        def states() -> dict[str, str]:
            topics = client.node.get_topic_names_and_types()
            nodes = expected(
                {name.removeprefix(inside) for name in names() & watch.states.keys()},
                {topic.removeprefix(inside) for topic, _ in topics},
            )
            return {inside + node: watch.states[inside + node] for node in nodes}

        def is_complete() -> bool:
            watch.poll()
            found = states().values()
            return (
                bool(found)
                and all(state == "active" for state in found)
                and time.monotonic() - began > _DISCOVERY_S
            )

        client.until(is_complete, seconds)
        watch.close()
        topics = {
            topic: (kinds[0], client.node.count_publishers(topic), client.node.count_subscribers(topic))
            for topic, kinds in client.node.get_topic_names_and_types()
            if topic.startswith(inside) and not topic.endswith("/transition_event")
        }
        others = tuple(sorted(names() - watch.states.keys()))
        strangers = strangers_of(client.node, watch.states.keys())
        unheard = tuple(filter(None, (unheard_on(client.node, topic) for topic in sorted(topics))))
        return Reached(client.namespace, states(), others, topics, strangers, unheard)
