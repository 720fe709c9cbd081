"""Reads a ROS 2 parameter file as rcl does: which parameters does a node get?

Nodes read such files with rcl. This module is for code without ROS, and for code that needs the values before
there is a node. It refuses files that rcl would read differently from what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from dasha_ros.config.ros_value import (
    Leaf,
    Map,
    Node,
    Series,
    Value,
    YamlError,
    documents,
    leaf_value,
)

PARAMETERS = "ros__parameters"
_SEGMENT = re.compile(r"\*\*?|[A-Za-z_][A-Za-z0-9_]*")
_ORDER = (bool, int, float, str)
"""If a parameter has values of several types, the first of these types wins; any value wins over a list."""


@dataclass(frozen=True)
class Given:
    """A parameter's value in a file."""

    value: Value
    """For rcl, an empty list is the same as no value."""
    text: str | None
    """The word as written in the file; ``None`` for lists."""
    line: int


@dataclass
class _Entry:
    """Collects the values of a parameter in a file: the last value of each type."""

    name: str
    scalars: dict[type, Given] = field(default_factory=dict)
    lists: dict[type, Given] = field(default_factory=dict)
    empty: Given | None = None

    @property
    def given(self) -> Given | None:
        """The value that rcl would use; ``None`` if the name is only a group."""
        for kept in (self.scalars, self.lists):
            for kind in _ORDER:
                if kind in kept:
                    return kept[kind]
        return self.empty


@dataclass
class Block:
    """All parameters of a file for one pattern of node names."""

    pattern: str
    line: int
    _entries: list[_Entry] = field(default_factory=list)

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return re.compile(("/" + self.pattern.removeprefix("/")).replace("/*", r"(/\w+)"), re.ASCII)

    def matches(self, full_name: str) -> bool:
        """Whether the pattern matches a full node name, e.g. ``/dasha/camera_driver``."""
        return self._names.fullmatch(full_name) is not None

    @property
    def is_for_all(self) -> bool:
        """Whether the pattern matches nodes of any name."""
        return self.pattern.rpartition("/")[2] in ("*", "**")

    def parameters(self) -> Iterator[tuple[str, Given]]:
        """Names and values; the later one wins if a name occurs twice."""
        for entry in self._entries:
            if entry.given is not None:
                yield entry.name, entry.given

    def _entry(self, name: str) -> _Entry:
        for entry in self._entries:
            if entry.name == name:
                return entry
        self._entries.append(_Entry(name))
        return self._entries[-1]

    def add(self, group: Map, prefix: str | None = None) -> None:
        """Add the parameters of a map; those of a nested map get the name ``outer.inner``."""
        for key, node in group.entries.items():
            entry = self._entry(key if prefix is None else prefix)
            if prefix is not None:
                # rcl gives the group's own entry to the parameter.
                entry.name = f"{prefix}.{key}"
            if isinstance(node, Map):
                if not node.entries:
                    raise YamlError(f"line {node.line}: {key} is empty")
                if prefix is not None and "." in key:
                    raise YamlError(
                        f"line {node.line}: ROS would misread what follows {key!r}: "
                        "write each name between dots as a map of its own"
                    )
                if self._entry(entry.name).given is not None:
                    raise YamlError(f"line {node.line}: {entry.name} has a value, so it can't be a group too")
                self.add(node, entry.name)
            else:
                _keep(entry, node)


def _keep(entry: _Entry, node: Leaf | Series) -> None:
    if isinstance(node, Leaf):
        value = leaf_value(node)
        entry.scalars[type(value)] = Given(value, node.text, node.line)
        return
    values = node.value
    assert isinstance(values, list)
    given = Given(values, None, node.line)
    if values:
        entry.lists[type(values[0])] = given
    else:
        entry.empty = given


class RosFile:
    """A parameter file for many nodes."""

    def __init__(self, source: str | bytes) -> None:
        """Parse the content of a file.

        Raises:
            YamlError: rcl would refuse it or read it differently; the message names the line.
        """
        self._blocks: dict[str, Block] = {}
        for document in documents(source):
            if isinstance(document, Leaf) and not document.text and not document.is_text:
                continue  # An empty document between two lines of dashes.
            if not isinstance(document, Map):
                raise YamlError(f"line {document.line}: a parameter file maps node names to {PARAMETERS}")
            self._take(document, "", 0)

    @property
    def blocks(self) -> list[Block]:
        """The blocks in the order of the file, in which they are applied."""
        return list(self._blocks.values())

    def parameters(self, full_name: str) -> dict[str, Given]:
        """The parameters of a node: all matching blocks, where later ones override earlier ones."""
        found: dict[str, Given] = {}
        for block in self._blocks.values():
            if block.matches(full_name):
                found.update(block.parameters())
        return found

    def _take(self, group: Map, name: str, depth: int) -> None:
        last = list(group.entries)[-1:]
        for key, node in group.entries.items():
            line = group.lines[key]
            if key.startswith(PARAMETERS):
                self._take_block(key, node, name, line)
                if [key] != last:
                    raise YamlError(
                        f"line {line}: ROS loses the namespace of what follows {key}: put it last"
                    )
                continue
            if not isinstance(node, Map):
                raise YamlError(f"line {line}: {key!r} must hold {PARAMETERS}, or node names")
            if depth and "/" in key:
                raise YamlError(
                    f"line {line}: ROS puts what follows {key!r} into another namespace: "
                    "write each name between slashes as a map of its own"
                )
            self._take(
                node, key if not depth else f"{name}{'' if name.endswith('/') else '/'}{key}", depth + 1
            )

    def _take_block(self, key: str, node: Node, name: str, line: int) -> None:
        if key != PARAMETERS:
            raise YamlError(f"line {line}: {key!r} must be {PARAMETERS}")
        if not name:
            raise YamlError(f"line {line}: there is no node name before {PARAMETERS}")
        if not isinstance(node, Map):
            raise YamlError(f"line {line}: {PARAMETERS} of {name!r} must map names to values")
        if not all(_SEGMENT.fullmatch(part) for part in name.removeprefix("/").split("/")):
            raise YamlError(
                f"line {line}: {name!r} is not a node name: use letters, digits and underscores, "
                "no digit first, between slashes; * stands for one name, ** for any number of names"
            )
        self._blocks.setdefault(name, Block(name, line)).add(node)
