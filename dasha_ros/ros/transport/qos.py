"""Quality of service of every topic."""

from __future__ import annotations

from collections.abc import Collection

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo


def _profile(reliable: bool, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


IMAGE = _profile(reliable=False, depth=1)
"""Images: a late one is useless."""
CAPTURE = _profile(reliable=True, depth=5, latched=True)
"""CaptureInfo and CameraInfo: images can't be used without them, and they report the active exposure."""
COMMAND = _profile(reliable=True, depth=1)
STATE = _profile(reliable=True, depth=1, latched=True)
PERCEPT = _profile(reliable=True, depth=1)
DETECTIONS = _profile(reliable=True, depth=5)
"""Another package's detections, as most detectors publish them. One that is lost costs a goal seconds."""
REWARD = _profile(reliable=True, depth=100)
DIAGNOSTICS = _profile(reliable=True, depth=10)
KEPT = 20
"""Queue depth of a subscription. All publishers of a topic share one queue per subscriber. With depth 1, a
stranger's next message would replace the one from the topic's own publisher."""


def to_hear(profile: QoSProfile) -> QoSProfile:
    """The profile of a subscription: as the topic is published, but with room for strangers' messages.

    Best-effort topics keep their depth: only the newest image is wanted, and memory matters.
    """
    if profile.reliability is not ReliabilityPolicy.RELIABLE or profile.depth >= KEPT:
        return profile
    return _profile(reliable=True, depth=KEPT, latched=profile.durability is DurabilityPolicy.TRANSIENT_LOCAL)


ACTION_SERVICES = {
    f"{service}_service_qos_profile": _profile(reliable=True, depth=100)
    for service in ("goal", "result", "cancel")
}
"""Options of an action's server or client. With ROS 2's usual depth of 10, only ten of those who wait for a
result get it."""
CLOCK = _profile(reliable=False, depth=1)


def as_offered(offers: Collection[TopicEndpointInfo], depth: int) -> QoSProfile:
    """To hear another package's node without a loss that can be avoided.

    Pictures travel in pieces, and a best-effort subscription loses a picture with any of them. Through the
    shared memory that Fast DDS gives a node by default, fewer than one in ten pictures of 640 x 480 in colour
    arrive; a reliable subscription hears all of them. But it hears nothing of a best-effort publisher.

    Args:
        offers: The topic's publishers.
        depth: How many messages are kept.
    """
    reliable = bool(offers) and all(o.qos_profile.reliability is ReliabilityPolicy.RELIABLE for o in offers)
    return _profile(reliable=reliable, depth=depth)
