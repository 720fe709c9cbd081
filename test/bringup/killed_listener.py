"""Hears three topics and says on ``heard`` which it has heard."""

from __future__ import annotations

import contextlib

import rclpy
from rclpy.executors import ExternalShutdownException
from std_msgs.msg import String

from dasha_ros.ros.transport import qos


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("killed_listener")
    heard = node.create_publisher(String, "heard", qos.DIAGNOSTICS)
    for topic, profile in (("percept", qos.PERCEPT), ("picture", qos.IMAGE), ("word", qos.STATE)):
        node.create_subscription(
            String, topic, lambda _, topic=topic: heard.publish(String(data=topic)), profile
        )
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
