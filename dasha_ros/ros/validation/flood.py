"""A node that floods a graph with hostile messages, for tests and soaks.

``python -m dasha_ros.ros.validation.flood --seconds 60``

It joins the graph of ``ROS_DOMAIN_ID`` as a stranger and ends by itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence

import rclpy
from rclpy.node import Node

from dasha_ros.ros.validation.hostile import TOPICS, Hostile
from dasha_ros.system.folders import NO_LOG_FILES

_POOL = 200
"""Number of messages drawn per topic. They are sent repeatedly, because drawing takes longer than sending."""


class Flood:
    """Publishes hostile messages on every topic that a graph subscribes to."""

    def __init__(self, node: Node, seed: int, topics: Sequence[str] = ()) -> None:
        """Draw the messages.

        Args:
            node: The publisher.
            seed: Seed of the draws.
            topics: Names, relative to the node's namespace; empty: `hostile.TOPICS`.
        """
        hostile = Hostile(seed)
        self._publishers = {
            topic: (node.create_publisher(kind, topic, profile), [hostile.wire(kind) for _ in range(_POOL)])
            for kind, topic, profile in TOPICS
            if not topics or topic in topics
        }

    def run(self, seconds: float, rate_hz: float) -> dict[str, int]:
        """Send at a rate, as far as the machine can.

        Args:
            seconds: How long to send [s].
            rate_hz: Rate of each topic [Hz].

        Returns:
            Number of messages sent, by topic.
        """
        sent: Counter[str] = Counter()
        began, turn = time.monotonic(), 0
        while (elapsed_s := time.monotonic() - began) < seconds:
            if turn >= elapsed_s * rate_hz:
                time.sleep(min(0.001, turn / rate_hz - elapsed_s))
                continue
            for topic, (publisher, wires) in self._publishers.items():
                publisher.publish(wires[turn % _POOL])
                sent[topic] += 1
            turn += 1
        return dict(sent)


def main(args: Sequence[str] | None = None) -> None:
    """Flood a graph and print the number of messages sent, as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--namespace", default="/dasha")
    parser.add_argument("--name", default="stranger", help="name of the node")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=2000.0, help="rate of each topic [Hz]")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument(
        "--topics", nargs="*", default=[], help="default: all topics that the graph subscribes to"
    )
    options = parser.parse_args(args)
    rclpy.init(args=["--ros-args", NO_LOG_FILES])
    node = rclpy.create_node(options.name, namespace=options.namespace, enable_rosout=False)
    try:
        sent = Flood(node, options.seed, options.topics).run(options.seconds, options.rate)
        print(json.dumps(sent), flush=True)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
