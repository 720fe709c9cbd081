"""Parses values of ROS parameters with rcl's types, which are not always those of YAML.

``yes`` is true, ``010`` is 8, ``1e3`` is a number and ``null`` a word. Everything in quotes is a text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

Scalar = bool | int | float | str
Value = Scalar | list[bool] | list[int] | list[float] | list[str]
"""The values that a ROS parameter can have."""

_TRUE = frozenset(["Y", "y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["N", "n", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_SPECIAL = re.compile(r"(?:[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))")
_SPACE = r"[ \t\n\v\f\r]*"
_INTEGER = re.compile(_SPACE + r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")
_DECIMAL = re.compile(_SPACE + r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(
    _SPACE + r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
)
_WORD = re.compile(_SPACE + r"([+-]?)(?:inf(?:inity)?|(nan(?:\([0-9A-Za-z_]*\))?))", re.IGNORECASE)
_MOST_DEPTH = 32
_STRING = "tag:yaml.org,2002:str"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, which rcl uses, if it is available


class YamlError(ValueError):
    """rcl can't read a text, or would misread it. The message says where and why."""


@dataclass(frozen=True)
class Leaf:
    """An untyped word of a YAML text."""

    text: str
    is_text: bool
    """Whether it is in quotes or tagged as a string."""
    line: int

    @property
    def value(self) -> Scalar:
        """The value as rcl types it."""
        return self.text if self.is_text else typed(self.text)


@dataclass(frozen=True)
class Series:
    """A YAML sequence."""

    items: list[Node]
    line: int

    @property
    def value(self) -> Value:
        """The list, whose values must have one type, as rcl demands.

        Raises:
            YamlError: The values have several types, or are not plain values.
        """
        values = self.scalars
        if len({type(value) for value in values}) > 1:
            hint = "; write 1.0 for 1" if {type(v) for v in values} == {int, float} else ""
            raise YamlError(f"line {self.line}: all values of a list must be of one type{hint}")
        return values  # type: ignore[return-value]

    @property
    def scalars(self) -> list[Scalar]:
        """The values, of any types.

        Raises:
            YamlError: A value is not plain.
        """
        for item in self.items:
            if not isinstance(item, Leaf):
                raise YamlError(f"line {item.line}: a list or a map inside a list can't be a parameter")
        return [leaf_value(item) for item in self.items if isinstance(item, Leaf)]


@dataclass(frozen=True)
class Map:
    """A YAML mapping with unique keys."""

    entries: dict[str, Node]
    lines: dict[str, int]
    """Line of each key."""
    line: int


Node = Leaf | Series | Map


def leaf_value(leaf: Leaf) -> Scalar:
    """The value of a word.

    Raises:
        YamlError: The word is empty, or has a character that a ROS text can't hold.
    """
    if not leaf.text and not leaf.is_text:
        raise YamlError(f"line {leaf.line}: there is no value; an empty text is ''")
    if "\0" in leaf.text:
        raise YamlError(f"line {leaf.line}: a text can't hold the character NUL")
    return leaf.value


def typed(text: str) -> Scalar:
    """Type a word without quotes as rcl does: C's ``strtoll`` with base 0, then ``strtod``."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if match := _INTEGER.fullmatch(text):
        sign, sixteen, eight, ten = match.groups()
        number = int(sixteen, 16) if sixteen else int(eight, 8) if eight else int(ten)
        number = -number if sign == "-" else number
        if -(2**63) <= number < 2**63:
            return number
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    if match := _WORD.fullmatch(text):
        return float(match[1] + ("nan" if match[2] else "inf"))
    return _float(text)


def _float(text: str) -> float | str:
    try:
        if _DECIMAL.fullmatch(text):
            number, is_zero = float(text), not re.search("[1-9]", re.split("[eE]", text)[0])
        elif _HEXADECIMAL.fullmatch(text):
            number, is_zero = float.fromhex(text), not re.search("[1-9a-fA-F]", re.split("[xXpP]", text)[1])
        else:
            return text
    except OverflowError:
        return text
    # A number out of range is a word, because strtod reports an error.
    in_range = is_zero or sys.float_info.min <= abs(number) <= sys.float_info.max
    return number if in_range else text


def documents(source: str | bytes) -> Iterator[Node]:
    """Parse the documents of a YAML text, untyped and with line numbers.

    Raises:
        YamlError: The text is not YAML, or has an alias, a duplicate key, or a key that is not a word.
    """
    try:
        events = yaml.parse(source, Loader=_LOADER)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield _node(next(events), events, 0)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(_sentence(error)) from error


def _sentence(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    return f"{f'line {mark.line + 1}: ' if mark else ''}this is not YAML: {problem}"


def _line(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line = _line(event)
    if depth > _MOST_DEPTH:
        raise YamlError(f"line {line}: nested deeper than {_MOST_DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent):
        return Leaf(event.value, event.style in ("'", '"') or event.tag == _STRING, line)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            items.append(_node(item, events, depth + 1))
        return Series(items, line)
    if isinstance(event, yaml.MappingStartEvent):
        return _map(line, events, depth)
    raise YamlError(f"line {line}: ROS can't read aliases (*name): write the value out")


def _map(line: int, events: Iterator[yaml.Event], depth: int) -> Map:
    entries: dict[str, Node] = {}
    lines: dict[str, int] = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        here = _line(key)
        if not isinstance(key, yaml.ScalarEvent) or not key.value or "\0" in key.value:
            raise YamlError(f"line {here}: a key must be a word")
        if key.value in entries:
            raise YamlError(
                f"line {here}: {key.value!r} is already in line {lines[key.value]}: one of them would be lost"
            )
        lines[key.value] = here
        entries[key.value] = _node(next(events), events, depth + 1)
    return Map(entries, lines, line)


def parse_value(text: str) -> Value:
    """Parse a text as ``-p name:=TEXT`` does, except that ``[1, 2.5]`` is a list of floats.

    Raises:
        YamlError: The text is not YAML, empty, a map, or a list of several types.
    """
    nodes = list(documents(text))
    node = nodes[0] if len(nodes) == 1 else None
    if isinstance(node, Leaf):
        return leaf_value(node)
    if not isinstance(node, Series):
        raise YamlError(f"{text!r} is not a value: write a number, a word, or a list")
    scalars = node.scalars
    if {type(value) for value in scalars} == {int, float}:
        return [float(value) for value in scalars]
    return node.value


def parameter_text(value: Value | Sequence[Scalar]) -> str:
    """Write a value so that ``-p name:=value`` reads it back with the same type."""
    if isinstance(value, str):
        # Valid YAML without surrogate pairs, and always a string.
        words = (f"\\U{ord(c):08x}" if ord(c) > 0xFFFF else json.dumps(c)[1:-1] for c in value)
        return f'"{"".join(words)}"'
    if isinstance(value, Sequence):
        return "[" + ", ".join(parameter_text(v) for v in value) + "]"
    return str(yaml.safe_dump(value)).split("\n", 1)[0]  # floats always have a dot: 1.0e-05


def plain_text(value: Value) -> str:
    """The same for people: without quotes where they are not needed."""
    if value == "":
        return "''"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z~][\w~./-]*", value) and typed(value) == value:
        return value
    return parameter_text(value)
