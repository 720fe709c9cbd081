"""Which topics of a graph are recorded, and the quality of service that fits their publishers."""

from __future__ import annotations

from collections.abc import Collection

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

_DEPTH = 100
_BEST_EFFORT_DEPTH = 20
"""Best-effort topics carry pictures of megabytes. The recorder leaves them here until
perception has done its work, and must not lose them."""
_ON_DEMAND = ("/perception/annotated", "/perception/annotated/compressed")
"""Pictures that are drawn only when somebody listens: recording them would slow every step down."""
_EVERYWHERE = ("/clock", "/diagnostics", "/tf", "/tf_static")
"""Topics outside a graph's namespace that tell about it."""
_FOREVER = "\n".join(
    f"  {name}:\n    sec: 9223372036\n    nsec: 854775807"
    for name in ("deadline", "lifespan", "liveliness_lease_duration")
)


def topics_to_record(
    node: Node, namespace: str, named: Collection[str] = (), known: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """The topics that somebody publishes now, by name, and the types with which each is published.

    Only a topic of one type can be recorded. A node that merely listens with another type hears nothing, and
    does not count.

    Args:
        node: Sees the graph.
        namespace: All topics in it are wanted, but for those that are made on demand only.
        named: Full names of topics that are wanted instead.
        known: Full names of topics that are recorded already. They are left out, because looking for their
            publishers takes long, unless another type has come to them.
    """
    base = namespace.rstrip("/")
    left_out = {f"{base}{name}" for name in _ON_DEMAND}
    wanted = {
        name: kinds
        for name, kinds in sorted(node.get_topic_names_and_types())
        if any("/msg/" in kind for kind in kinds)
        and (name not in known or len(kinds) > 1)
        and (
            name in named
            if named
            else (name.startswith(f"{base}/") and name not in left_out) or name in _EVERYWHERE
        )
        and node.count_publishers(name)
    }
    # To ask for the publishers of each topic would take long.
    published = {n: tuple(k) if len(k) == 1 else _published_types(node, n) for n, k in wanted.items()}
    return {name: kinds for name, kinds in published.items() if kinds}


def _published_types(node: Node, topic: str) -> tuple[str, ...]:
    return tuple(sorted({info.topic_type for info in node.get_publishers_info_by_topic(topic)}))


def fitting_qos(node: Node, topic: str) -> QoSProfile:
    """What hears every publisher of a topic: reliable and latched only if all of them are."""
    offered = [info.qos_profile for info in node.get_publishers_info_by_topic(topic)]
    reliable = all(q.reliability == ReliabilityPolicy.RELIABLE for q in offered)
    latched = all(q.durability == DurabilityPolicy.TRANSIENT_LOCAL for q in offered)
    return QoSProfile(
        depth=_DEPTH if reliable else _BEST_EFFORT_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def is_latched(qos: QoSProfile) -> bool:
    """Whether who comes late gets the last message."""
    return bool(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def offered_qos(qos: QoSProfile) -> str:
    """A profile as rosbag2 writes it, so that its player publishes as the graph did."""
    reliable = qos.reliability == ReliabilityPolicy.RELIABLE
    depth, durability = (1, 1) if is_latched(qos) else (qos.depth, 2)
    return (
        f"- history: 1\n  depth: {depth}\n  reliability: {1 if reliable else 2}\n  durability: {durability}\n"
        f"{_FOREVER}\n  liveliness: 1\n  avoid_ros_namespace_conventions: false"
    )
