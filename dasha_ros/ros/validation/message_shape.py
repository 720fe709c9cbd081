"""Checks a message by the types of its fields: finite numbers, bounded sizes, valid times.

Because the checks follow from the field types, new fields need no code here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

_TEXT = 10_000
"""Most characters of a string: a reason for people may quote several libraries."""
_MANY = 100_000
"""Most elements of a list of strings or messages."""
_MAY_BE_UNKNOWN = frozenset({"focus_distance_m", "lens_position"})
"""Fields that are NaN if unknown; a distance may also be infinite."""
_SEQUENCE = re.compile(r"sequence<(.+)>")
_ARRAY = re.compile(r"(.+)\[\d+\]")


Check = Callable[[Any], None]


class InvalidMessage(ValueError):
    """A message with an invalid value. The text names the field and the value."""


def shape_check(kind: type, path: str, finite: bool) -> Check:
    """The check of a message type.

    Args:
        kind: The type of the message.
        path: The message's place in the outer message, such as ``header.``; empty for the outer one.
        finite: Whether all numbers must be finite.
    """
    parts = []
    for name, text in kind.get_fields_and_field_types().items():  # type: ignore[attr-defined]
        part = _part(text, f"{path}{name}", finite)
        if part is not None:
            parts.append((name, part))

    def check(message: Any) -> None:
        for name, part in parts:
            part(getattr(message, name))

    return check


def _part(text: str, path: str, finite: bool) -> Check | None:
    """The check of a field, by its type as `get_fields_and_field_types` spells it; ``None``: any value."""
    if text in {"float", "double"}:
        known = path.rpartition(".")[2] not in _MAY_BE_UNKNOWN
        return _finite(path) if finite and known else None
    if text == "string":
        return _text(path)
    if text == "builtin_interfaces/Time":
        return _stamp(path)
    if match := _SEQUENCE.fullmatch(text):
        return _list(match[1], path, finite)
    if match := _ARRAY.fullmatch(text):
        return _numbers(path) if finite and match[1] in {"float", "double"} else None
    package, _, name = text.partition("/")
    return shape_check(getattr(import_module(f"{package}.msg"), name), f"{path}.", finite) if name else None


def _finite(path: str) -> Check:
    def check(value: Any) -> None:
        if not math.isfinite(value):
            raise InvalidMessage(f"{path} is {value}")

    return check


def _text(path: str) -> Check:
    def check(value: Any) -> None:
        if len(value) > _TEXT:
            raise InvalidMessage(f"{path} has {len(value)} characters, more than {_TEXT}")

    return check


def _stamp(path: str) -> Check:
    def check(value: Any) -> None:
        if value.sec < 0 or value.nanosec >= 1_000_000_000:
            raise InvalidMessage(f"{path} is not a time: {value.sec} s and {value.nanosec} ns")

    return check


def _numbers(path: str) -> Check:
    def check(values: Any) -> None:
        if not np.isfinite(values).all():
            raise InvalidMessage(f"{path} contains a value that is not a number")

    return check


def _list(element: str, path: str, finite: bool) -> Check | None:
    if element in {"float", "double"}:
        return _numbers(path) if finite else None
    each = _part(element, f"{path}[]", finite)
    if each is None:
        return None  # Plain numbers, whose count `most_bytes` limits.

    def check(values: Any) -> None:
        if len(values) > _MANY:
            raise InvalidMessage(f"{path} has {len(values)} elements, more than {_MANY}")
        for value in values:
            each(value)

    return check
