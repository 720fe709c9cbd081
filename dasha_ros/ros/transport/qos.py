"""Quality of service of every topic (design, section 3)."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(reliable: bool, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


IMAGE = _profile(reliable=False, depth=1)
"""Images: a late one is worth nothing."""
CAPTURE = _profile(reliable=True, depth=5, latched=True)
"""CaptureInfo and CameraInfo: an image without them can't be used, and they tell the exposure in force."""
COMMAND = _profile(reliable=True, depth=1)
STATE = _profile(reliable=True, depth=1, latched=True)
PERCEPT = _profile(reliable=True, depth=1)
REWARD = _profile(reliable=True, depth=100)
DIAGNOSTICS = _profile(reliable=True, depth=10)
KEPT = 20
"""Messages of a topic that wait for who hears it. All its publishers share one queue at each reader: in one
of depth 1 the next word of a stranger displaces what the owner said."""


def to_hear(profile: QoSProfile) -> QoSProfile:
    """How a topic is subscribed to: as it is published, but with room for what strangers say meanwhile.

    Unreliable ones stay as they are: of images the newest is wanted, and no more memory.
    """
    if profile.reliability is not ReliabilityPolicy.RELIABLE or profile.depth >= KEPT:
        return profile
    return _profile(reliable=True, depth=KEPT, latched=profile.durability is DurabilityPolicy.TRANSIENT_LOCAL)


CLOCK = _profile(reliable=False, depth=1)
