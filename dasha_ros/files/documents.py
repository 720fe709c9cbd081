"""Reads users' YAML, JSON and text files, with limits on their size and depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.regular import read_bytes

MOST_YAML_BYTES = 2**20
"""PyYAML takes a few seconds for this much."""
MOST_JSON_BYTES = 2**28
MOST_VALUES = 200_000
"""Limit for a YAML document with its aliases expanded: nine lines of aliases can stand for 10^9 values."""
DEEPEST = 64
_MERGE = "tag:yaml.org,2002:merge"
"""The tag of the key ``<<``, whose values a mapping may override."""


def read_text(path: str | Path, most_bytes: int = MOST_JSON_BYTES) -> str:
    """Read a UTF-8 text, without the byte order mark that it may begin with.

    Raises:
        FileError: The file does not exist, can't be read, or is not text.
    """
    content = read_bytes(path, most_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = kind_of(content[:4096])
        raise FileError(
            path, f"is {kind}, not a text" if kind else f"is not UTF-8 text: {first_line(error)}"
        ) from error
    if "\0" in text:
        raise FileError(path, f"is not text: {placeholder(content[:4096]) or 'it holds zero bytes'}")
    return text


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file into plain values, lists and dictionaries.

    Raises:
        FileError: See `read_text`; or it is not YAML, nested too deep, or too large. A key that a mapping
            has twice is no YAML (YAML 1.2.2, section 3.2.1.3), although PyYAML takes the last one.
    """
    text = _document(path, MOST_YAML_BYTES)
    try:
        document = yaml.load(text, _Loader)
        _check_size(document)
    except yaml.MarkedYAMLError as error:
        raise FileError(path, f"is not YAML: {_where(error)}") from error
    except RecursionError as error:
        raise FileError(path, f"is nested deeper than {DEEPEST} levels") from error
    except _TooMuchError as error:
        raise FileError(path, str(error)) from error
    except Exception as error:  # PyYAML's constructors raise anything for a wrong value
        raise FileError(path, f"is not YAML: {first_line(error)}") from error
    return document


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        FileError: See `read_text`; or it is not JSON, or nested too deep.
    """
    text = _document(path, MOST_JSON_BYTES)
    try:
        return parse_json(text)
    except ValueError as error:
        raise FileError(path, f"is not JSON: {first_line(error)}") from error


def parse_json(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: It is not JSON, or nested too deep.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _document(path: str | Path, most_bytes: int) -> str:
    text = read_text(path, most_bytes)
    if text.strip() and (why := placeholder(text[:4096].encode())):
        raise FileError(path, why)
    return text


class _Loader(yaml.SafeLoader):
    """Refuses a mapping that has a key twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        assert node is not None
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            value = self.construct_object(key)
            if (type(value), value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add((type(value), value))
        return node


class _TooMuchError(Exception):
    """A document is too deep or too large; the message continues after "PATH: "."""


def _check_size(document: Any) -> None:
    """Refuse a document that would take too long to walk through, without walking through it."""
    counts: dict[int, int] = {}

    def count(value: Any, depth: int) -> int:
        if not isinstance(value, dict | list):
            return 1
        if depth > DEEPEST:
            raise _TooMuchError(f"is nested deeper than {DEEPEST} levels")
        known = counts.get(id(value))
        if known == 0:
            raise _TooMuchError("holds a list or dictionary that contains itself")
        if known is None:
            counts[id(value)] = 0
            inside = value.values() if isinstance(value, dict) else value
            counts[id(value)] = known = 1 + sum(count(each, depth + 1) for each in inside)
        if known > MOST_VALUES:
            raise _TooMuchError(f"holds more than {MOST_VALUES} values with its aliases expanded")
        return known

    count(document, 0)


def _where(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    return f"{said} (line {mark.line + 1}, column {mark.column + 1})" if mark else said
