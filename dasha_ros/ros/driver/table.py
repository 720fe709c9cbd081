"""The table of drivers: what their parameters are called, and how their pictures tell what made them.

`config/drivers.yaml` has the drivers that are known; people add theirs in a file of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded, what_lies_at
from dasha_ros.ros.driver.units import QUANTITIES
from dasha_ros.system.paths import config_dir

Value = bool | int | float | str
"""The value of a parameter."""
_KEYS = {
    "start",
    "node",
    "image",
    "stamp",
    *QUANTITIES,
    "exposure_automatics",
    "focus_automatics",
    "metadata",
}
_NODE = re.compile(r"(/\w+)+")
_TOPIC = re.compile(r"(~?/)?\w+(/\w+)*")
_TYPE = re.compile(r"(\w+)/msg/(\w+)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """Where a driver keeps exposure, gain or focus: a parameter, or a key of its metadata."""

    quantity: str
    """``exposure``, ``gain`` or ``focus``."""
    name: str
    unit: str
    low: float | None = None
    """Least value in the driver's unit, for parameters that tell no range."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """A topic that tells what made each picture, under the picture's stamp."""

    topic: str
    package: str
    kind: str
    """Name of the message, of ``package``."""
    json: str
    """Field that holds JSON; empty: the message is a `DiagnosticArray`, or has the keys as fields."""
    exposure: Quantity
    gain: Quantity | None


@dataclass(frozen=True, slots=True)
class DriverDescription:
    """One driver."""

    name: str
    start: str
    """The command that starts it, for messages."""
    node: str
    """Its usual name in the graph, with its namespace."""
    image: str
    """Topic of its pictures; ``~`` stands for the node."""
    stamp_is_begin: bool
    """Whether a picture's stamp is the start of its exposure; else it may be any time up to its end."""
    exposure: Quantity
    gain: Quantity | None
    focus: Quantity | None
    exposure_automatics: Mapping[str, Value]
    """What to set, in this order, so that the exposure obeys."""
    focus_automatics: Mapping[str, Value]
    metadata: Metadata | None


def driver_named(name: str) -> DriverDescription:
    """The driver of the table, or of a file: ``camera_ros``, ``mine.yaml``, ``mine.yaml:second``.

    Raises:
        ValueError: There is none of this name.
        FileError: The file can't be used; the message says what is wrong in it.
    """
    if not name:
        raise ValueError(f"no driver is named: set `driver` to {_names(drivers())}, or to a file of your own")
    if "/" not in name and ".yaml" not in name:
        known = drivers()
        if name not in known:
            lies = what_lies_at(name, ".yaml")
            before = f"{lies}: " if lies else ""
            raise ValueError(
                f"{before}driver {name!r} is not in the table, which has {_names(known)};"
                " describe it in a YAML file"
                " and give the file's path"
            )
        return known[name]
    path, _, wanted = name.rpartition(":") if re.search(r"\.ya?ml:", name) else (name, "", "")
    own = drivers(expanded(path))
    if wanted and wanted not in own:
        raise FileError(path, f"describes no driver {wanted!r}; it has {_names(own)}")
    if not wanted and len(own) != 1:
        raise FileError(path, f"describes {_names(own)}: add a colon and the name of the one to use")
    return own[wanted or next(iter(own))]


def drivers(path: Path | None = None) -> dict[str, DriverDescription]:
    """Every driver of a file, by default of the package's table.

    Raises:
        FileError: The file can't be used; the message says what is wrong in it.
    """
    path = path or config_dir() / "drivers.yaml"
    document = read_yaml(path)
    if not isinstance(document, dict) or not document:
        raise FileError(path, "must have an entry for each driver, by its name")
    return {str(name): _Entry(path, str(name), entry).read() for name, entry in document.items()}


def _names(known: Mapping[str, Any]) -> str:
    return ", ".join(known)


@dataclass(frozen=True)
class _Entry:
    """One entry of the file."""

    path: Path
    name: str
    entry: Any

    def read(self) -> DriverDescription:
        entry = self._mapping(self.entry, "it", _KEYS, {"node", "image", "exposure"})
        stamp = entry.get("stamp", "end")
        if stamp not in ("begin", "end"):
            raise self._wrong("stamp", stamp, "begin or end")
        exposure = self._quantity("exposure", entry["exposure"])
        return DriverDescription(
            name=self.name,
            start=str(entry.get("start", "")),
            node=self._text("node", entry["node"], _NODE, "a node with its namespace, such as /camera"),
            image=self._topic("image", entry["image"]),
            stamp_is_begin=stamp == "begin",
            exposure=exposure,
            gain=self._quantity("gain", entry["gain"]) if "gain" in entry else None,
            focus=self._quantity("focus", entry["focus"]) if "focus" in entry else None,
            exposure_automatics=self._automatics("exposure_automatics", entry),
            focus_automatics=self._automatics("focus_automatics", entry),
            metadata=self._metadata(entry["metadata"]) if "metadata" in entry else None,
        )

    def _quantity(self, quantity: str, value: Any, key: str = "parameter", place: str = "") -> Quantity:
        limits = {"low", "high"} if key == "parameter" else set()
        place = place or quantity
        fields = self._mapping(value, place, {key, "unit", *limits}, {key, "unit"})
        units = QUANTITIES[quantity]
        if fields["unit"] not in units:
            raise self._wrong(f"{place}.unit", fields["unit"], f"one of {', '.join(units)}")
        low, high = (self._number(f"{place}.{end}", fields.get(end)) for end in ("low", "high"))
        if low is not None and high is not None and not low < high:
            raise self._wrong(f"{place}.low", low, f"below {place}.high, {high:g}")
        return Quantity(quantity, str(fields[key]), str(fields["unit"]), low, high)

    def _metadata(self, value: Any) -> Metadata:
        keys = {"topic", "type", "json", "exposure", "gain"}
        fields = self._mapping(value, "metadata", keys, {"topic", "type", "exposure"})
        kind = self._text(
            "metadata.type", fields["type"], _TYPE, "such as diagnostic_msgs/msg/DiagnosticArray"
        )
        package, _, message = kind.split("/")
        has_gain = "gain" in fields
        return Metadata(
            topic=self._topic("metadata.topic", fields["topic"]),
            package=package,
            kind=message,
            json=str(fields.get("json", "")),
            exposure=self._quantity("exposure", fields["exposure"], "key", "metadata.exposure"),
            gain=self._quantity("gain", fields["gain"], "key", "metadata.gain") if has_gain else None,
        )

    def _automatics(self, key: str, entry: Mapping[str, Any]) -> dict[str, Value]:
        values = entry.get(key, {})
        if not isinstance(values, dict):
            raise self._wrong(key, values, "parameters and the values that switch them off")
        for name, value in values.items():
            if not isinstance(value, bool | int | float | str):
                raise self._wrong(f"{key}.{name}", value, "a truth value, a number or a text")
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise self._wrong(f"{key}.{name}", value, "a whole number of 64 bits")
        return {str(name): value for name, value in values.items()}

    def _mapping(self, value: Any, place: str, known: set[str], needed: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict) or not needed <= set(value) <= known:
            raise FileError(
                self.path,
                f"driver {self.name}: {place} needs {', '.join(sorted(needed))} and may have "
                f"{', '.join(sorted(known - needed)) or 'nothing else'}",
            )
        return value

    def _text(self, place: str, value: Any, pattern: re.Pattern[str], wanted: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(place, value, wanted)
        return value

    def _topic(self, place: str, value: Any) -> str:
        return self._text(place, value, _TOPIC, "a topic, where ~/ stands for the node")

    def _number(self, place: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(place, value, "a number")
        return float(value)

    def _wrong(self, place: str, value: object, wanted: str) -> FileError:
        return FileError(self.path, f"driver {self.name}: {place} is {value!r}; it must be {wanted}")
