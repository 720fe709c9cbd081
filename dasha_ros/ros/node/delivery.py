"""What a node has published arrives before the node leaves."""

from __future__ import annotations

import time

from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher

from dasha_ros.system import shutdown_limits

_AT_ONCE = Duration(seconds=0)
_LOOK_S = 0.005


def await_delivery(node: Node, limit_s: float = shutdown_limits.MESSAGE_ARRIVES_S) -> bool:
    """Wait until every subscriber has the last messages of all reliable topics; return whether they all have.

    A subscriber forgets a publisher that has left, with what it has not received yet. A message that is
    published just before the end is therefore lost on a busy computer. Answers of services and actions are
    not waited for: rclpy can't tell.

    Args:
        node: The node that leaves.
        limit_s: The longest wait [s]; a subscriber whose process hangs never confirms.
    """
    end = time.monotonic() + limit_s
    while not (all_have := all(_is_delivered(publisher) for publisher in list(node.publishers))):
        if time.monotonic() >= end:
            break
        time.sleep(_LOOK_S)
    return all_have


def _is_delivered(publisher: Publisher) -> bool:
    """Whether nothing waits to be confirmed. To wait in rclpy would stop all threads of Python."""
    try:
        return bool(publisher.wait_for_all_acked(_AT_ONCE))
    except (rclpy_implementation.RCLError, rclpy_implementation.InvalidHandle):
        return True  # Its middleware can't tell, or it was destroyed: there is nothing to wait for.
