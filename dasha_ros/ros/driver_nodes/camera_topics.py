"""What a camera driver publishes: pictures, what made them, what is in force, what the camera can do."""

from __future__ import annotations

import os
from dataclasses import replace

from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image

from dasha_ros import msg
from dasha_ros.devices.camera import CameraLimits, Frame
from dasha_ros.freshness.clock import Clock
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.ros.driver_nodes.camera_state import CameraState
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import capture_to_msg, limits_to_msg
from dasha_ros.ros.transport.image import ImageWriter


class CameraTopics:
    """The topics of one camera. Pictures and states are published by one thread.

    Attributes:
        state: When ``camera/state`` is told.
        capture: Publisher of ``camera/capture``.
        last: What made the newest picture, `None` before the first.
    """

    def __init__(self, node: Node, clock: Clock, frame_id: str, instance: str) -> None:
        """Create the topics.

        Args:
            node: The driver.
            clock: Gives its stamps.
            frame_id: In every header.
            instance: Of the driver.
        """
        self._node, self._clock = node, clock
        self._frame_id, self._instance = frame_id, instance
        self._writer = ImageWriter(frame_id)
        self.last: CaptureInfo | None = None
        self._image = node.create_publisher(Image, "camera/image_raw", qos.IMAGE)
        self._info = node.create_publisher(CameraInfo, "camera/camera_info", qos.CAPTURE)
        self.capture: Publisher = node.create_publisher(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.in_force: Publisher = node.create_publisher(msg.CaptureInfo, "camera/state", qos.STATE)
        self._limits = node.create_publisher(msg.CameraLimits, "camera/limits", qos.STATE)
        self.state = CameraState(self.tell)

    def close(self) -> None:
        """Leave the topics."""
        for publisher in (self._image, self._info, self.capture, self.in_force, self._limits):
            self._node.destroy_publisher(publisher)

    def tell_limits(self, limits: CameraLimits) -> None:
        """Publish what the opened camera can do."""
        if self._node.context.ok():
            self._limits.publish(limits_to_msg(limits, self._instance))

    def tell(self, capture: CaptureInfo) -> None:
        """Publish what is in force."""
        if self._node.context.ok():
            self.in_force.publish(capture_to_msg(capture, self._frame_id))

    def tell_setting(self, command: CommandId, exposure_us: float, sequence: int) -> None:
        """Publish the exposure in force, which no picture shows any more, as if it were the next one."""
        if self.last is not None:
            now_ns = self._clock.now_ns()
            setting = replace(self.last, stamp_ns=now_ns, exposure_us=exposure_us, exposure_command=command)
            self.tell(replace(setting, sequence=sequence, lens=NOWHERE))

    def publish(self, frame: Frame, capture: CaptureInfo, awaited: bool) -> None:
        """Publish a picture, and what made it; ``awaited`` if a command waited for it."""
        self.last = capture
        image = self._writer.write(frame.pixels, frame.encoding)
        capture = replace(capture, ready_ns=self._clock.now_ns())
        info = capture_to_msg(capture, self._frame_id)
        image.header.stamp = info.header.stamp
        if not self._node.context.ok():
            return
        # New settings first: whoever has seen the picture may ask at once what is in force.
        self.state.taken(capture, awaited)
        self.capture.publish(info)
        self._image.publish(image)
        # Whom it woke may have been put on this core.
        os.sched_yield()
        # Nobody calibrated this camera: K and D stay zero, which is how REP 104 says so.
        self._info.publish(CameraInfo(header=info.header, height=image.height, width=image.width))
