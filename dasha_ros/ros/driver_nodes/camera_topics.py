"""What a camera driver publishes: pictures, the settings of each picture, active settings and limits."""

from __future__ import annotations

import os
from dataclasses import replace

from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image

from dasha_ros import msg
from dasha_ros.devices.camera import CameraLimits, Frame
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.ros.driver_nodes.camera_info import CameraInfos
from dasha_ros.ros.driver_nodes.camera_state import CameraState
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import capture_to_msg, limits_to_msg
from dasha_ros.ros.transport.image import ImageWriter
from dasha_ros.ros.transport.stamps import RosClock


class CameraTopics:
    """The topics of one camera. One thread publishes pictures and states.

    Attributes:
        state: Decides when ``camera/state`` is published.
        capture: Publisher of ``camera/capture``.
        state_publisher: Publisher of ``camera/state``.
        last: Settings of the newest picture, `None` before the first.
    """

    def __init__(self, node: Node, clock: RosClock, frame_id: str, instance: str, infos: CameraInfos) -> None:
        """Create the topics.

        Args:
            node: The driver.
            clock: Gives the stamps.
            frame_id: Frame of every header.
            instance: The driver's instance.
            infos: Makes what ``camera/camera_info`` says.
        """
        self._node, self._clock = node, clock
        self._frame_id, self._instance, self._infos = frame_id, instance, infos
        self._writer = ImageWriter(frame_id)
        self.last: CaptureInfo | None = None
        self._image = node.create_publisher(Image, "camera/image_raw", qos.IMAGE)
        self._info = node.create_publisher(CameraInfo, "camera/camera_info", qos.CAPTURE)
        self.capture: Publisher = node.create_publisher(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.state_publisher: Publisher = node.create_publisher(msg.CaptureInfo, "camera/state", qos.STATE)
        self._limits = node.create_publisher(msg.CameraLimits, "camera/limits", qos.STATE)
        self.state = CameraState(self.publish_state)

    def close(self) -> None:
        """Close the topics."""
        for publisher in (self._image, self._info, self.capture, self.state_publisher, self._limits):
            self._node.destroy_publisher(publisher)

    def publish_limits(self, limits: CameraLimits) -> None:
        """Publish the limits of the open camera."""
        self._infos.use(limits)
        if self._node.context.ok():
            self._limits.publish(limits_to_msg(limits, self._instance))

    def publish_state(self, capture: CaptureInfo) -> None:
        """Publish the active settings."""
        if self._node.context.ok():
            self.state_publisher.publish(capture_to_msg(capture, self._frame_id))

    def publish_setting(self, command: CommandId, exposure_us: float, gain_db: float, sequence: int) -> None:
        """Publish an exposure and gain that no picture will show, as if the next picture had them."""
        if self.last is not None:
            now_ns = self._clock.now_ns()
            setting = replace(self.last, stamp_ns=now_ns, exposure_us=exposure_us, gain_db=gain_db)
            setting = replace(setting, exposure_command=command, sequence=sequence, lens=NOWHERE)
            self.publish_state(setting)

    def publish(self, frame: Frame, capture: CaptureInfo, awaited: bool) -> None:
        """Publish a picture and its settings; ``awaited``: a command waited for it."""
        self.last = capture
        image = self._writer.write(frame.pixels, frame.encoding)
        capture = replace(capture, ready_ns=self._clock.now_ns())
        info = capture_to_msg(capture, self._frame_id)
        image.header.stamp = info.header.stamp
        if not self._node.context.ok():
            return
        # Settings first: whoever sees the picture may ask for the active settings at once.
        self.state.taken(capture, awaited)
        self.capture.publish(info)
        self._image.publish(image)
        # The subscriber that the image woke may be waiting for this core.
        os.sched_yield()
        self._info.publish(self._infos.message(info.header, image.width, image.height))
