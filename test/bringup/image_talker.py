"""Publishes full frames on ``image``, each one after the last was acknowledged on ``seen``."""

from __future__ import annotations

import contextlib
from array import array

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image
from std_msgs.msg import UInt32

from dasha_ros.ros.transport import qos

WIDTH, HEIGHT = 2048, 1088


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("talker")
    publisher = node.create_publisher(Image, "image", qos.IMAGE)
    pixels = np.random.default_rng(0).integers(0, 256, WIDTH * HEIGHT, np.uint8)
    message = Image(width=WIDTH, height=HEIGHT, step=WIDTH, encoding="mono8")
    message.data = array("B", pixels.tobytes())

    def on_seen(seen: UInt32) -> None:
        np.frombuffer(message.data, np.uint8)[0] = seen.data % 256
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)

    node.create_subscription(UInt32, "seen", on_seen, qos.COMMAND)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
