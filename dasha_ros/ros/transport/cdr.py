"""Deserializes messages two to three times as fast as rclpy.

For every part of a message rclpy looks up a class, makes an object with default values and fills it again.
That takes 44 us for a `Percept` and 21 us for a `TwinLens`; here it takes 23 and 7. In a process that slept
between two steps the caches are cold, and rclpy needs 0.3 ms for a `Percept`. The layout comes from the
message class. The encoding is plain CDR (OMG DDS-RTPS 2.5, chapter 10), which every ROS 2 middleware uses.
"""

from __future__ import annotations

import array
import re
import struct
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message

Part = Callable[[memoryview, int], "tuple[Any, int]"]
"""Reads the value at an offset of a body; returns it and the offset after it."""

_HEADER_BYTES = 4
_LITTLE_ENDIAN = b"\x00\x01"
_FORMATS = {
    "boolean": "?",
    "octet": "c",
    "uint8": "B",
    "int8": "b",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float": "f",
    "double": "d",
}
"""`struct` format of each primitive type of `get_fields_and_field_types`."""
_SEQUENCE = re.compile(r"sequence<([\w/]+)>")
_ARRAY = re.compile(r"([\w/]+)\[(\d+)\]")


def reader(kind: type) -> Callable[[bytes], Any]:
    """Return a function that turns a serialized message of a type into an object with its fields.

    The object is not a message: it has the same fields, nested ones included, but can't be published. Byte
    sequences are views of the message; other number sequences are `array.array`, as in rclpy. The function
    raises `ValueError` if bytes are missing.

    Raises:
        TypeError: The type has a field that this reader doesn't support, such as a bounded sequence.
    """
    part = _message(kind)

    def read(data: bytes) -> Any:
        if data[:2] != _LITTLE_ENDIAN:
            return deserialize_message(data, kind)
        body = memoryview(data)[_HEADER_BYTES:]
        try:
            message, end = part(body, 0)
        except (struct.error, ValueError) as error:
            raise ValueError(f"{kind.__name__} of {len(data)} bytes is cut short: {error}") from error
        if end > len(body):
            raise ValueError(f"{kind.__name__} of {len(data)} bytes is cut short")
        return message

    return read


@cache
def _message(kind: type) -> Part:
    fields = [(name, _part(text)) for name, text in kind.get_fields_and_field_types().items()]  # type: ignore[attr-defined]
    if not fields:
        raise TypeError(f"{kind.__name__} has no fields")

    def read(body: memoryview, offset: int) -> tuple[Any, int]:
        values = {}
        for name, part in fields:
            values[name], offset = part(body, offset)
        return SimpleNamespace(**values), offset

    return read


def _part(text: str) -> Part:
    """The reader of a field, by its type as `get_fields_and_field_types` spells it."""
    if text in _FORMATS:
        return _number(_FORMATS[text])
    if text == "string":
        return _string
    if match := _SEQUENCE.fullmatch(text):
        element = match[1]
        if element == "uint8":
            return _bytes
        if element != "boolean":
            return _numbers(_FORMATS[element]) if element in _FORMATS else _sequence(_part(element))
    if (match := _ARRAY.fullmatch(text)) and match[1] in _FORMATS and match[1] != "boolean":
        return _fixed(_FORMATS[match[1]], int(match[2]))
    package, _, name = text.partition("/")
    if not name.isidentifier():
        raise TypeError(f"a field of type {text!r} can't be read")
    return _message(getattr(import_module(f"{package}.msg"), name))


def _number(code: str) -> Part:
    size, unpack = struct.calcsize(code), struct.Struct(f"<{code}").unpack_from

    def read(body: memoryview, offset: int) -> tuple[Any, int]:
        offset = -(-offset // size) * size
        return unpack(body, offset)[0], offset + size

    return read


_length = _number("I")


def _string(body: memoryview, offset: int) -> tuple[str, int]:
    size, offset = _length(body, offset)
    # As in rclpy, a string ends at its first zero byte, and invalid UTF-8 is replaced.
    return str(body[offset : offset + size - 1], "utf-8", "replace").partition("\0")[0], offset + size


def _bytes(body: memoryview, offset: int) -> tuple[memoryview, int]:
    size, offset = _length(body, offset)
    return body[offset : offset + size], offset + size


def _numbers(code: str) -> Part:
    size = struct.calcsize(code)

    def read(body: memoryview, offset: int) -> tuple[Any, int]:
        count, offset = _length(body, offset)
        values = array.array(code)
        if count:
            offset = -(-offset // size) * size
            values.frombytes(body[offset : offset + count * size])
        return values, offset + count * size

    return read


def _fixed(code: str, count: int) -> Part:
    dtype = np.dtype(f"<{code}")

    def read(body: memoryview, offset: int) -> tuple[Any, int]:
        offset = -(-offset // dtype.itemsize) * dtype.itemsize
        return np.frombuffer(body, dtype, count, offset), offset + count * dtype.itemsize

    return read


def _sequence(element: Part) -> Part:
    def read(body: memoryview, offset: int) -> tuple[Any, int]:
        count, offset = _length(body, offset)
        values = []
        for _ in range(count):
            value, offset = element(body, offset)
            values.append(value)
        return values, offset

    return read
