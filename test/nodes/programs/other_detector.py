"""A detector node of another package: looks at the camera's images and answers with vision_msgs."""

from __future__ import annotations

import contextlib

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.image import working_image
from dasha_ros.ros.transport.image import pixels_of


class Yolo(Node):
    """Publishes what it finds in every image, under the image's header."""

    def __init__(self) -> None:
        super().__init__("yolo")
        self._detector = create_detector("yolov3_tiny")
        self._publisher = self.create_publisher(Detection2DArray, "/yolo/detections", 10)
        self.create_subscription(Image, "/dasha/camera/image_raw", self._look, qos_profile_sensor_data)
        print("ready", flush=True)

    def _look(self, image: Image) -> None:
        grey = working_image(pixels_of(image), image.encoding, 640)
        message = Detection2DArray(header=image.header)
        for found in self._detector.detect(grey):
            x_min, y_min, x_max, y_max = (float(v) * image.width / grey.shape[1] for v in found.box)
            box = BoundingBox2D(size_x=x_max - x_min, size_y=y_max - y_min)
            box.center.position.x, box.center.position.y = (x_min + x_max) / 2, (y_min + y_max) / 2
            result = ObjectHypothesisWithPose()
            result.hypothesis.class_id, result.hypothesis.score = found.label, float(found.score)
            message.detections.append(Detection2D(header=image.header, bbox=box, results=[result]))
        self._publisher.publish(message)


def main() -> None:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Yolo())


if __name__ == "__main__":
    main()
