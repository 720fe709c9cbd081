"""What a node has published arrives before the node leaves."""

from __future__ import annotations

import time
from contextlib import suppress

from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from dasha_ros.system import shutdown_limits


def await_delivery(node: Node, limit_s: float = shutdown_limits.MESSAGE_ARRIVES_S) -> bool:
    """Wait until every subscriber has the last messages of all reliable topics; return whether they all have.

    A subscriber forgets a publisher that has left, with what it has not received yet. A message that is
    published just before the end is therefore lost on a busy computer.

    Args:
        node: The node that leaves.
        limit_s: The longest wait [s]; a subscriber whose process hangs never confirms.
    """
    end, all_have = time.monotonic() + limit_s, True
    for publisher in list(node.publishers):
        left = Duration(seconds=max(0.0, end - time.monotonic()))
        # A middleware that can't tell raises: then the node leaves without waiting.
        with suppress(rclpy_implementation.RCLError):
            all_have = publisher.wait_for_all_acked(left) and all_have
    return all_have
