"""A camera node as camera_ros documents itself: /camera, its parameters, its pictures, and /diagnostics.

``python scripted_camera_node.py '{"lag": 3, "rate_hz": 15}'`` takes the fields of `Script` and of `Shape`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data, qos_profile_system_default
from sensor_msgs.msg import CompressedImage, Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripted_driver import DEFAULTS, FOCUS_STEP, RANGES, Script, ScriptedDriver
from webcam_in_memory import flat_picture

from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
from dasha_ros.ros.transport.image import ImageWriter
from dasha_ros.twin.world import World


@dataclass(frozen=True)
class Shape:
    """What its pictures look like, and how they travel."""

    twin: bool = False
    """Whether it paints the default scene at 640 x 340 px instead of a picture that tells what made it."""
    height: int = 48
    width: int = 64
    reliable: bool = True
    says_stamps: bool = False
    """Whether it prints the stamp of each picture [ns]."""


class ScriptedCamera(Node):
    """Publishes the frames of a `ScriptedDriver`."""

    def __init__(self, script: Script, shape: Shape) -> None:
        super().__init__("camera")
        self._driver, self._shape = ScriptedDriver(script), shape
        self._painter = (
            TwinPainter(PictureSize(640, 340, script.rate_hz), world=World(illuminance_lx=300.0), seed=0)
            if shape.twin
            else None
        )
        for name, value in DEFAULTS.items():
            self.declare_parameter(name, value, _descriptor(name))
        self.add_on_set_parameters_callback(self._set)
        profile = qos_profile_system_default if shape.reliable else qos_profile_sensor_data
        self._images = self.create_publisher(Image, "~/image_raw", profile)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos_profile_system_default)
        self._compressed = self.create_publisher(
            CompressedImage, "~/image_raw/compressed", qos_profile_system_default
        )
        self._writer = ImageWriter("camera")
        self._made = None
        self.create_timer(1.0 / script.rate_hz, self._frame)

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name in DEFAULTS and (reason := self._driver.set(parameter.name, parameter.value)):
                return SetParametersResult(successful=False, reason=reason)
        return SetParametersResult(successful=True)

    def _frame(self) -> None:
        """Publish the frame that has just ended, and begin the next."""
        ended, self._made = self._made, (self.get_clock().now().to_msg(), self._driver.begin_frame())
        if ended is None:
            return
        stamp, shown = ended
        pixels = (
            flat_picture(shown, (self._shape.height, self._shape.width))
            if self._painter is None
            else self._painter(shown)
        )
        image = self._writer.write(pixels, "mono8")
        image.header.stamp = stamp
        script = self._driver.script
        if script.has_metadata:
            values = [
                KeyValue(key="ExposureTime", value=str(round(shown.exposure_us))),
                KeyValue(key="AnalogueGain", value=f"{shown.gain:.6f}"),
                KeyValue(key="LensPosition", value=f"{shown.focus_dioptres:.6f}"),
            ]
            told = DiagnosticArray(status=[DiagnosticStatus(values=values)])
            told.header.stamp = stamp
            self._diagnostics.publish(told)
        self._images.publish(image)
        if self._shape.says_stamps:
            print(stamp.sec * 10**9 + stamp.nanosec, flush=True)
        if self._compressed.get_subscription_count():
            # Lossless, so that a picture still tells what made it.
            png = cv2.imencode(".png", pixels)[1].tobytes()
            self._compressed.publish(
                CompressedImage(header=image.header, format="mono8; png compressed ", data=png)
            )


def _descriptor(name: str) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(name=name)
    if name in RANGES:
        low, high = RANGES[name]
        if isinstance(DEFAULTS[name], int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            step = FOCUS_STEP if name == "LensPosition" else 0.0
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high, step=step)]
    return descriptor


def main() -> None:
    """Publish until a signal comes."""
    given = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    shape = Shape(**{field.name: given.pop(field.name) for field in fields(Shape) if field.name in given})
    rclpy.init(args=[])
    node = ScriptedCamera(Script(**{**given, "refuse": set(given.get("refuse", []))}), shape)
    print("the scripted camera runs", flush=True)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
