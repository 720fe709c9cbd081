"""Passes images, captures and lens states on, late and out of order: a network at its worst.

Every message gets a random delay of its own, so a later one overtakes an earlier one.
"""

from __future__ import annotations

import contextlib
import copy
import heapq
import random
import threading
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image

from dasha_ros import msg
from dasha_ros.ros.transport import qos

LONGEST_S = 0.25
TOPICS = (
    (Image, "camera/image_raw", qos.IMAGE),
    (msg.CaptureInfo, "camera/capture", qos.CAPTURE),
    (msg.CaptureInfo, "camera/state", qos.STATE),
    (msg.LensState, "lens/state", qos.STATE),
    (msg.TwinLens, "twin/lens", qos.STATE),
)


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("unruly_relay")
    draw = random.Random(4)
    due: list[tuple[float, int, object, object]] = []
    news = threading.Condition()

    def keep(publisher: object, message: object) -> None:
        with news:
            heapq.heappush(
                due, (time.monotonic() + draw.uniform(0, LONGEST_S), len(due), publisher, copy.copy(message))
            )
            news.notify()

    def deliver() -> None:
        while rclpy.ok():
            with news:
                while not due or due[0][0] > time.monotonic():
                    news.wait(max(0.0, due[0][0] - time.monotonic()) if due else 0.2)
                    if not rclpy.ok():
                        return
                _, _, publisher, message = heapq.heappop(due)
            publisher.publish(message)

    for kind, topic, profile in TOPICS:
        publisher = node.create_publisher(kind, topic, profile)
        node.create_subscription(
            kind, f"{topic}_true", lambda m, publisher=publisher: keep(publisher, m), profile
        )
    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    rclpy.try_shutdown()
    thread.join(2.0)


if __name__ == "__main__":
    main()
