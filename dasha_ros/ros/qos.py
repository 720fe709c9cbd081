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
CLOCK = _profile(reliable=False, depth=1)
