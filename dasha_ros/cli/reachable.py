"""Which nodes and topics of a graph can be seen from here."""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.bringup import RIGS
from dasha_ros.cli.client import Client, LifecycleWatch


@dataclass(frozen=True)
class Reached:
    """What was seen."""

    namespace: str
    states: dict[str, str]
    """Lifecycle state of the package's nodes that are there, by full name."""
    others: tuple[str, ...]
    """Other nodes, in any namespace."""
    topics: dict[str, tuple[str, int, int]]
    """Type, publishers and subscriptions of the topics in the namespace."""

    def lines(self) -> list[str]:
        """For people."""
        if not self.states:
            seen = f"; other nodes: {', '.join(self.others)}" if self.others else ""
            return [f"no node of this package answers in {self.namespace}; start it with `dasha up`{seen}"]
        width = max(len(name) for name in [*self.states, *self.topics])
        return [
            *(f"{name:<{width}}  {state}" for name, state in self.states.items()),
            *(f"other node: {name}" for name in self.others),
            *(
                f"{topic:<{width}}  {kind}, {publishers} publishing, {subscriptions} listening"
                for topic, (kind, publishers, subscriptions) in sorted(self.topics.items())
            ),
        ]


def look(namespace: str, seconds: float) -> Reached:
    """Look at a graph.

    Args:
        namespace: Of the nodes.
        seconds: How long to wait for answers; it ends earlier when all nodes of a rig are active.

    Raises:
        ConfigError: No namespace.
    """
    with Client(namespace) as client:
        expected = {f"{client.namespace}/{name}" for rig in RIGS.values() for name in rig.nodes}
        watch = LifecycleWatch(client, sorted(expected))
        client.until(watch.poll, seconds)
        own = client.node.get_fully_qualified_name()
        names = {f"{ns.rstrip('/')}/{name}" for name, ns in client.node.get_node_names_and_namespaces()}
        states = {name: watch.states[name] for name in sorted(expected & names)}
        watch.close()
        topics = {
            topic: (kinds[0], client.node.count_publishers(topic), client.node.count_subscribers(topic))
            for topic, kinds in client.node.get_topic_names_and_types()
            if topic.startswith(client.namespace + "/") and not topic.endswith("/transition_event")
        }
        return Reached(client.namespace, states, tuple(sorted(names - expected - {own})), topics)
