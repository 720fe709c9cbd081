"""Parses ``node.parameter=value`` from a command line and merges it into configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from dasha_ros.config import NODES, ConfigError, NodeConfig, explain
from dasha_ros.config.ros_value import Value, YamlError, parameter_text, parse_value
from dasha_ros.files import version_0_1
from dasha_ros.system.text import is_text


def parse_overrides(texts: Sequence[str]) -> dict[str, Value]:
    """Parse ``node.parameter=value`` texts into a mapping; the values are typed as ROS types them.

    Raises:
        ConfigError: A text has another form.
    """
    values: dict[str, Value] = {}
    for text in texts:
        if not is_text(text):
            raise ConfigError(f"{text!r} holds bytes that are no text: write it in UTF-8")
        match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", text, flags=re.DOTALL)
        if match is None:
            raise ConfigError(
                f"{text!r} is not an override: write NODE.PARAMETER=VALUE, e.g. camera_driver.gain_db=6"
            )
        node, parameter, value = match.groups()
        try:
            values[f"{node}.{parameter}"] = _value(node, parameter, value)
        except YamlError as error:
            raise ConfigError(f"{text!r}: {error}") from error
    return values


def override_texts(values: Mapping[str, Value]) -> tuple[str, ...]:
    """The reverse of `parse_overrides`."""
    return tuple(f"{key}={parameter_text(value)}" for key, value in values.items())


def _value(node: str, parameter: str, text: str) -> Value:
    text = text.strip()
    field = NODES[node].model_fields.get(parameter) if node in NODES else None
    is_wanted_as_text = field is not None and isinstance(field.default, str)
    if not text or (is_wanted_as_text and text[0] not in "'\""):
        return text  # A serial number looks like a number but is a text.
    return parse_value(text)


def merged(configs: dict[str, NodeConfig], values: Mapping[str, Any]) -> dict[str, NodeConfig]:
    """Return configurations with values of ``node.parameter`` replaced.

    Raises:
        ConfigError: A node or parameter is unknown, or a value is out of bounds.
    """
    changes: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        node, parameter = key.split(".", 1)
        if node not in NODES:
            raise ConfigError(f"{key}: unknown node {node!r}; known: {', '.join(NODES)}")
        if parameter not in NODES[node].model_fields:
            hint = version_0_1.parameter(node, parameter)
            hint = hint or f"it has: {', '.join(NODES[node].model_fields)}"
            raise ConfigError(f"{key}: {node} has no parameter {parameter!r}; {hint}")
        changes.setdefault(node, {})[parameter] = value
    result = dict(configs)
    for node, change in changes.items():
        try:
            result[node] = NODES[node](**{**configs[node].model_dump(), **change})
        except ValidationError as error:
            raise ConfigError(f"{node}: {explain(error)}") from error
    return result
