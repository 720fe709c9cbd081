"""Reads YAML, JSON and text that people wrote, without their depth, size or tricks doing harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.regular import read_bytes

MOST_YAML_BYTES = 2**20
"""PyYAML takes some seconds for so much."""
MOST_JSON_BYTES = 2**28
MOST_VALUES = 200_000
"""Of a YAML document, each as often as it is referred to: nine lines of aliases can stand for 10^9 values."""
DEEPEST = 64


def read_text(path: str | Path, most_bytes: int = MOST_JSON_BYTES) -> str:
    """A text in UTF-8; a byte order mark at its beginning is left out.

    Raises:
        FileError: No such file, none that can be read, or no text.
    """
    content = read_bytes(path, most_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = kind_of(content[:4096])
        raise FileError(
            path, f"is {kind}, not a text" if kind else f"is no text in UTF-8: {first_line(error)}"
        ) from error
    if "\0" in text:
        raise FileError(path, f"is no text: {placeholder(content[:4096]) or 'it holds zero bytes'}")
    return text


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds: plain values, lists and dictionaries.

    Raises:
        FileError: See `read_text`; or it is no YAML, nested too deep, or holds more values than a person
            writes.
    """
    text = _document(path, MOST_YAML_BYTES)
    try:
        document = yaml.safe_load(text)
        _check_size(document)
    except yaml.MarkedYAMLError as error:
        raise FileError(path, f"is no YAML: {_where(error)}") from error
    except RecursionError as error:
        raise FileError(path, f"is nested deeper than {DEEPEST} levels") from error
    except _TooMuchError as error:
        raise FileError(path, str(error)) from error
    except Exception as error:  # PyYAML's constructors raise whatever a wrong value leads to
        raise FileError(path, f"is no YAML: {first_line(error)}") from error
    return document


def read_json(path: str | Path) -> Any:
    """What a JSON file holds.

    Raises:
        FileError: See `read_text`; or it is no JSON, or nested too deep.
    """
    text = _document(path, MOST_JSON_BYTES)
    try:
        return parse_json(text)
    except ValueError as error:
        raise FileError(path, f"is no JSON: {first_line(error)}") from error


def parse_json(text: str) -> Any:
    """What a JSON text holds.

    Raises:
        ValueError: It is no JSON, or nested too deep.
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


class _TooMuchError(Exception):
    """A document that no person wrote; the message goes on after "PATH: "."""


def _check_size(document: Any) -> None:
    """Refuse what would take for ever to walk through, without walking through it."""
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
            raise _TooMuchError(f"holds more than {MOST_VALUES} values, its aliases written out")
        return known

    count(document, 0)


def _where(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    return f"{said} (line {mark.line + 1}, column {mark.column + 1})" if mark else said
