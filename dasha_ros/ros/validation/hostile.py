"""Draws hostile messages of any type, from a seed, to test what a graph withstands."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from dasha_ros import msg
from dasha_ros.ros.transport import qos

TOPICS: tuple[tuple[Any, str, Any], ...] = (
    (msg.ExposureCommand, "camera/exposure_command", qos.COMMAND),
    (msg.LensCommand, "lens/command", qos.COMMAND),
    (msg.LensState, "lens/state", qos.STATE),
    (msg.LensInfo, "lens/info", qos.STATE),
    (msg.CaptureInfo, "camera/state", qos.STATE),
    (msg.CaptureInfo, "camera/capture", qos.CAPTURE),
    (msg.CameraLimits, "camera/limits", qos.STATE),
    (Image, "camera/image_raw", qos.IMAGE),
    (msg.Percept, "perception/percept", qos.PERCEPT),
    (msg.PerceptionInfo, "perception/info", qos.STATE),
    (CompressedImage, "perception/annotated/compressed", qos.IMAGE),
    (msg.FocusState, "focus/state", qos.STATE),
    (msg.Belief, "focus/belief", qos.PERCEPT),
    (msg.TwinWorld, "twin/world", qos.STATE),
    (msg.TwinLens, "twin/lens", qos.STATE),
)
"""Every topic that a node of the graph subscribes to."""

_FLOATS = (math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 1e-300, 1e30, 1e308)
_SHORT_TEXTS = ("", "odd", "\x07\x1b[2J", "%s%n{}", "../../etc/passwd", "\U0001f408")
_TEXTS = (*_SHORT_TEXTS, "x" * 2_000)
_LONG_TEXT = "x" * 100_000
_LONG_TEXTS = 0.005
"""Share of texts that are too long to be accepted; sending one takes as long as thousands of others."""
_INTEGERS = {
    "boolean": (False, True),
    **{f"uint{bits}": (0, 1, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"int{bits}": (-(2 ** (bits - 1)), -1, 0, 1, 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    "octet": (b"\0", b"\xff"),
}
_FLOAT32_MAX = 3.4e38
_COUNTS = (0, 1, 3, 3, 5_000)
_TRUE_COUNTS = {"detail": 0}
"""Elements of lists in valid messages, where two are not."""
_LIST = re.compile(r"sequence<([\w/]+)(?:, *\d+)?>")
_ARRAY = re.compile(r"([\w/]+)\[(\d+)\]")

_PLAUSIBLE: dict[str, tuple[float, float]] = {
    "position": (24.0, 70.0),
    "commanded_position": (24.0, 70.0),
    "lens_position": (24.0, 70.0),
    "focus_distance_m": (0.2, 20.0),
    "position_min": (0.0, 30.0),
    "position_max": (60.0, 70.0),
    "resolution": (0.0, 1.0),
    "play": (0.0, 1.0),
    "approach": (-1, 1),
    "blur_px_per_dioptre": (0.0, 20.0),
    "blur_doubt": (1.0, 4.0),
    "exposure_us": (24.0, 1e6),
    "exposure_min_us": (24.0, 100.0),
    "exposure_max_us": (1e4, 1e6),
    "gain_db": (0.0, 24.0),
    "gain_min_db": (0.0, 1.0),
    "gain_max_db": (2.0, 24.0),
    "illuminance_lx": (1.0, 1000.0),
    "temperature_c": (0.0, 50.0),
    "lamp_hz": (0.0, 200.0),
    "start_dioptres": (-1.0, 8.0),
    "target_dioptres": (-1.0, 8.0),
    "time_constant_s": (0.0, 0.1),
    "settle_s": (0.0, 0.1),
    "width": (32, 640),
    "height": (32, 480),
    "state": (0, 5),
    **dict.fromkeys(("x_min", "y_min", "x_max", "y_max"), (0.0, 1.0)),
}


class Hostile:
    """Draws hostile messages; equal seeds give equal messages.

    One third have hostile values in every field, one third in only one field, and one third are valid but
    untrue.
    """

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._texts: tuple[str, ...] = _TEXTS

    def message(self, kind: Any) -> Any:
        """A message of a type."""
        manner = self._draw.randrange(3)
        message = kind()
        fields = kind.get_fields_and_field_types()
        for name, text in fields.items():
            self._set(message, name, self._value(name, text, hostile=manner == 0))
        if manner == 1:
            name = self._draw.choice(list(fields))
            self._set(message, name, self._value(name, fields[name], hostile=True))
        return message

    def wire(self, kind: Any) -> bytes:
        """A serialized message of a type, sometimes damaged."""
        data = bytearray(serialize_message(self.message(kind)))
        if self._draw.random() < 0.1:
            del data[self._draw.randrange(4, len(data)) :]
        elif self._draw.random() < 0.1:
            for _ in range(8):
                data[self._draw.randrange(4, len(data))] = self._draw.randrange(256)
        return bytes(data)

    def _set(self, message: Any, name: str, value: Any) -> None:
        # rclpy refuses some values; damaged bytes may contain them all the same.
        with suppress(AssertionError, OverflowError, TypeError, ValueError):
            setattr(message, name, value)

    def _value(self, name: str, text: str, *, hostile: bool) -> Any:
        if match := _LIST.fullmatch(text):
            return self._list(name, match[1], hostile)
        if match := _ARRAY.fullmatch(text):
            return [self._value(name, match[1], hostile=hostile) for _ in range(int(match[2]))]
        if "/" in text:
            return self._part(text, hostile)
        return self._odd(text) if hostile else self._true(name, text)

    def _list(self, name: str, element: str, hostile: bool) -> Any:
        count = self._draw.choice(_COUNTS) if hostile else _TRUE_COUNTS.get(name, 2)
        # Long lists repeat three short values, because drawing all values would take longer than sending.
        texts, self._texts = self._texts, _TEXTS if count <= 3 else _SHORT_TEXTS
        few = [self._value(name, element, hostile=hostile) for _ in range(3)]
        self._texts = texts
        return (few * (count // len(few) + 1))[:count]

    def _part(self, text: str, hostile: bool) -> Any:
        package, _, name = text.partition("/")
        part = getattr(import_module(f"{package}.msg"), name)()
        for key, kind in part.get_fields_and_field_types().items():
            self._set(part, key, self._value(key, kind, hostile=hostile))
        return part

    def _odd(self, text: str) -> Any:
        draw = self._draw
        if text == "string":
            is_long = self._texts is _TEXTS and draw.random() < _LONG_TEXTS
            return _LONG_TEXT if is_long else draw.choice(self._texts)
        value: Any = draw.choice(_INTEGERS.get(text, _FLOATS))
        return _FLOAT32_MAX if text == "float" and _FLOAT32_MAX < abs(value) < math.inf else value

    def _true(self, name: str, text: str) -> Any:
        if text == "string":
            return self._word(name)
        if text in {"float", "double"}:
            return self._draw.uniform(*_PLAUSIBLE.get(name, (0.0, 1.0)))
        if text in {"boolean", "octet"}:
            return self._draw.choice(_INTEGERS[text])
        return self._draw.randint(*map(int, _PLAUSIBLE.get(name, (0, 100))))

    def _word(self, name: str) -> str:
        words: dict[str, Callable[[], str]] = {
            "encoding": lambda: "mono8",
            "scene": lambda: self._draw.choice(("cat", "motorcycle_street")),
        }
        return words.get(name, lambda: f"/stranger#{self._draw.randrange(16):x}")()
