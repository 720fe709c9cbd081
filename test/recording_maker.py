"""Makes recordings without ROS: by another library, from definitions that are written down here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap_ros2.writer import Writer

LINE = "\n" + "=" * 80 + "\n"
TIME = f"{LINE}MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
HEADER = f"{LINE}MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n{TIME}"
IMAGE = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
)
DEFINITIONS = {
    "sensor_msgs/msg/Image": f"{IMAGE}uint8[] data\n{HEADER}",
    "sensor_msgs/msg/CompressedImage": f"std_msgs/Header header\nstring format\nuint8[] data\n{HEADER}",
    "dasha_ros/msg/CaptureInfo": (
        "std_msgs/Header header\nfloat64 exposure_us\nfloat64 gain_db\nCommandId exposure_command\n"
        f"string lens_driver\nuint64 lens_move\n{HEADER}{LINE}MSG: dasha_ros/CommandId\nstring sender\n"
        "uint64 sequence\n"
    ),
    "dasha_ros/msg/LensState": (
        f"std_msgs/Header header\nstring driver\nuint64 move\nfloat64 position\nbool settled\n{HEADER}"
    ),
    "dasha_ros/msg/Reward": f"std_msgs/Header header\nstring agent\nfloat64 value\n{HEADER}",
    "dasha_ros/msg/LensInfo": (
        "string unit\nfloat64 position_min\nfloat64 position_max\nfloat64 resolution\nfloat64 settle_s\n"
        "float64 play\nint8 approach\nstring profile\nfloat64[] map_positions\nfloat64[] map_dioptres\n"
        "float64 blur_px_per_dioptre\n"
    ),
}
INFO = {
    "unit": "V", "position_min": 24.0, "position_max": 70.0, "resolution": 0.1, "settle_s": 0.2, "play": 0.3,
    "approach": 1, "profile": "mine", "map_positions": [24.0, 70.0], "map_dioptres": [0.0, 10.0],
    "blur_px_per_dioptre": 8.0,
}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A picture of one grey level, and its settings."""

    position: float
    exposure_us: float
    level: int
    command: int = 1
    move: int = 0
    """Number of the lens's move; 0: a new one."""
    moving: bool = False
    captured: bool = True
    state: bool = True
    judged: bool = False
    """Whether an agent got a reward for it."""
    gain_db: float = 6.0


def write_recording(
    path: Path,
    shots: Sequence[Shot],
    *,
    info: dict[str, Any] | None = None,
    jpeg: bool = False,
    encoding: str = "mono8",
    spaces: Sequence[str] = ("/dasha",),
) -> Path:
    """A recording of 40 x 32 pictures, a second apart."""
    with path.open("wb") as stream:
        writer = Writer(stream)
        schemas = {kind: writer.register_msgdef(kind, text) for kind, text in DEFINITIONS.items()}

        def write(topic: str, kind: str, content: dict[str, Any], second: int) -> None:
            writer.write_message(topic, schemas[kind], content, second * 10**9, second * 10**9)

        for space in spaces:
            if info is None or info:
                write(f"{space}/lens/info", "dasha_ros/msg/LensInfo", info or INFO, 0)
            for number, shot in enumerate(shots, start=1):
                header = {"stamp": {"sec": number, "nanosec": 7}, "frame_id": "camera"}
                if shot.state:
                    state = {
                        "header": header,
                        "driver": "lens",
                        "move": shot.move or number,
                        "position": shot.position,
                    }
                    write(
                        f"{space}/lens/state", "dasha_ros/msg/LensState", {**state, "settled": True}, number
                    )
                if shot.captured:
                    lens = {"lens_driver": "" if shot.moving else "lens", "lens_move": shot.move or number}
                    capture = {
                        "header": header,
                        "exposure_us": shot.exposure_us,
                        "gain_db": shot.gain_db,
                        **lens,
                    }
                    capture["exposure_command"] = {"sender": "agent", "sequence": shot.command}
                    write(f"{space}/camera/capture", "dasha_ros/msg/CaptureInfo", capture, number)
                if shot.judged:
                    reward = {"header": header, "agent": "A^L", "value": -1.0}
                    write(f"{space}/reward", "dasha_ros/msg/Reward", reward, number)
                channels = 3 if encoding == "rgb8" else 1
                pixels = np.full((32, 40, channels), shot.level, np.uint8)
                if channels == 3:
                    pixels[..., 0] = 255
                if jpeg:
                    ok, data = cv2.imencode(".jpg", pixels[..., ::-1])
                    assert ok
                    picture = {"header": header, "format": f"{encoding}; jpeg", "data": data.tobytes()}
                    kind, topic = "sensor_msgs/msg/CompressedImage", "camera/image_raw/compressed"
                else:
                    size = {"height": 32, "width": 40, "step": 40 * channels, "is_bigendian": 0}
                    picture = {"header": header, **size, "encoding": encoding, "data": pixels.tobytes()}
                    kind, topic = "sensor_msgs/msg/Image", "camera/image_raw"
                write(f"{space}/{topic}", kind, picture, number)
        writer.finish()
    return path
