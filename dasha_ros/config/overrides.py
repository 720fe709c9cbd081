"""Values of single parameters, on the way from a command line to a node's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from dasha_ros.config import NODES, ConfigError, NodeConfig, explain

Value = bool | int | float | str | list[float] | list[str]
"""What a ROS parameter of this package can hold."""


def parse_overrides(texts: Sequence[str]) -> dict[str, Value]:
    """Turn ``node.parameter=value`` texts into a mapping; the values are YAML, as in ROS parameters.

    Raises:
        ConfigError: A text of another form.
    """
    values: dict[str, Value] = {}
    for text in texts:
        match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", text, flags=re.DOTALL)
        if match is None:
            raise ConfigError(
                f"{text!r} is no override: write NODE.PARAMETER=VALUE, e.g. camera_driver.gain_db=6"
            )
        node, parameter, value = match.groups()
        try:
            values[f"{node}.{parameter}"] = _value(node, parameter, value)
        except yaml.YAMLError as error:
            raise ConfigError(f"{text!r}: the value is no YAML: {error}") from error
    return values


def _value(node: str, parameter: str, text: str) -> Value:
    value: Value = yaml.safe_load(text) if text.strip() else ""
    field = NODES[node].model_fields.get(parameter) if node in NODES else None
    is_text = field is not None and isinstance(field.default, str)
    # A serial number is a text, although it looks like a number.
    return text.strip() if is_text and not isinstance(value, str) else value


def merged(configs: dict[str, NodeConfig], values: Mapping[str, Any]) -> dict[str, NodeConfig]:
    """Configurations with values of ``node.parameter`` on top of them.

    Raises:
        ConfigError: An unknown node or parameter, or a value out of bounds.
    """
    changes: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        node, parameter = key.split(".", 1)
        if node not in NODES:
            raise ConfigError(f"{key}: unknown node {node!r}; known: {', '.join(NODES)}")
        if parameter not in NODES[node].model_fields:
            known = ", ".join(NODES[node].model_fields)
            raise ConfigError(f"{key}: {node} has no parameter {parameter!r}; it has: {known}")
        changes.setdefault(node, {})[parameter] = value
    result = dict(configs)
    for node, change in changes.items():
        try:
            result[node] = NODES[node](**{**configs[node].model_dump(), **change})
        except ValidationError as error:
            raise ConfigError(f"{node}: {explain(error)}") from error
    return result


def parameter_text(value: Value) -> str:
    """A parameter's value the way ``-p name:=value`` reads it: strings stay strings, numbers their type."""
    if isinstance(value, list):
        return "[" + ", ".join(parameter_text(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value)  # valid YAML, and a string whatever it looks like
    return str(yaml.safe_dump(value)).split("\n", 1)[0]  # floats always with a dot: 1.0e-05
