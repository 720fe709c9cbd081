"""Arguments of a goal: converted to what can be sent, or refused with their name and value."""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Sequence

from dasha_ros.system.text import is_text

_EDGES = ("x_min", "y_min", "x_max", "y_max")


def sent_labels(labels: str | Sequence[str]) -> list[str]:
    """Labels that can be sent: the code that packs messages ends the whole process over one that can't."""
    try:
        checked = [labels] if isinstance(labels, (str, bytes)) else list(labels)
    except TypeError:
        raise TypeError(f"labels are texts, not {labels!r}") from None
    for label in checked:
        if not isinstance(label, str):
            raise TypeError(f"a label is a text, not {label!r}")
        if not is_text(label):
            raise ValueError(f"the label {label!r} holds half a character, and can't be sent")
        if "\0" in label:
            # ROS's texts end there, and the rest would be another label.
            raise ValueError(f"the label {label!r} holds the character 0, and can't be sent")
    return checked


def sent_region(region: Sequence[float]) -> dict[str, float]:
    """The edges of a region, by their names in the message."""
    try:
        edges = list(region)
    except TypeError:
        raise TypeError(f"a region has four numbers ({', '.join(_EDGES)}), not {region!r}") from None
    if len(edges) != len(_EDGES):
        raise ValueError(f"a region has four numbers ({', '.join(_EDGES)}), not {len(edges)}")
    named = zip(_EDGES, edges, strict=True)
    return {name: sent_number(f"{name} of the region", edge) for name, edge in named}


def sent_number(name: str, number: float) -> float:
    """A number that keeps its meaning in the 32 bits of the message; the server judges it."""
    try:
        value = float(number)
        sent = struct.unpack("<f", struct.pack("<f", value))[0]
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a number, not {number!r}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large to be sent: {repr(number)[:20]}") from None
    if value and not sent:
        # 0 would mean the server's default, or no limit.
        raise ValueError(f"{name} = {value:g} is too small to be sent")
    return value


def sent_count(name: str, number: int) -> int:
    """A whole number that can be sent."""
    try:
        count = operator.index(number)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {number!r}") from None
    if not 0 <= count < 2**32:
        raise ValueError(f"{name} = {count} is not in 0..{2**32 - 1}")
    return count


def seconds(name: str, time_s: float | None) -> float | None:
    """A time to wait; infinite and `None` are for ever."""
    try:
        value = None if time_s is None else float(time_s)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a number of seconds or None, not {time_s!r}") from None
    if value is not None and not value >= 0.0:
        raise ValueError(f"{name} = {value:g} is no time to wait: give seconds")
    return value
