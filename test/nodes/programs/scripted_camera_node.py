"""A camera node as camera_ros documents itself: /camera, its parameters, its pictures, and /diagnostics.

``python scripted_camera_node.py '{"lag": 3, "rate_hz": 15}'`` takes the fields of `Script` and ``twin``,
which paints the default scene at 640 x 340 px instead of a small picture that tells what made it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripted_driver import DEFAULTS, FOCUS_STEP, RANGES, Script, ScriptedDriver
from webcam_in_memory import flat_picture

from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
from dasha_ros.ros.transport.image import ImageWriter
from dasha_ros.twin.world import World

SMALL = (48, 64)


class ScriptedCamera(Node):
    """Publishes the frames of a `ScriptedDriver`."""

    def __init__(self, script: Script, twin: bool) -> None:
        super().__init__("camera")
        self._driver = ScriptedDriver(script)
        self._painter = (
            TwinPainter(PictureSize(640, 340, script.rate_hz), world=World(illuminance_lx=300.0), seed=0)
            if twin
            else None
        )
        for name, value in DEFAULTS.items():
            self.declare_parameter(name, value, _descriptor(name))
        self.add_on_set_parameters_callback(self._set)
        self._images = self.create_publisher(Image, "~/image_raw", qos_profile_system_default)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos_profile_system_default)
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
        pixels = flat_picture(shown, SMALL) if self._painter is None else self._painter(shown)
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
    fields = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    twin = fields.pop("twin", False)
    rclpy.init(args=[])
    node = ScriptedCamera(Script(**{**fields, "refuse": set(fields.get("refuse", []))}), twin)
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
