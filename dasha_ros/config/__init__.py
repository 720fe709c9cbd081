"""Floor 3. Every parameter of every node in one place: default, unit, bounds and meaning.

The nodes declare their ROS parameters from these models, ``dasha config`` writes ``config/dasha.yaml`` from
them, and both are validated by them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ValidationError

from dasha_ros.config.agents import (
    AgentConfig,
    FocusServerConfig,
    HighLevelAgentConfig,
    LowLevelAgentConfig,
    PerceptionConfig,
    TrainerConfig,
)
from dasha_ros.config.devices import CameraDriverConfig, LensDriverConfig
from dasha_ros.config.parameter import NodeConfig
from dasha_ros.config.ros_value import plain_text
from dasha_ros.config.simulation import DeviceEmulatorConfig, TwinWorldConfig

__all__ = [
    "NODES",
    "AgentConfig",
    "CameraDriverConfig",
    "ConfigError",
    "DeviceEmulatorConfig",
    "FocusServerConfig",
    "HighLevelAgentConfig",
    "LensDriverConfig",
    "LowLevelAgentConfig",
    "NodeConfig",
    "PerceptionConfig",
    "TrainerConfig",
    "TwinWorldConfig",
    "as_yaml",
    "bounds_of",
    "choices_of",
    "explain",
    "is_fixed",
    "is_for_good",
    "limits_of",
    "unit_of",
]

NODES: dict[str, type[NodeConfig]] = {
    "camera_driver": CameraDriverConfig,
    "lens_driver": LensDriverConfig,
    "twin_world": TwinWorldConfig,
    "perception": PerceptionConfig,
    "high_level_agent": HighLevelAgentConfig,
    "low_level_agent": LowLevelAgentConfig,
    "focus_server": FocusServerConfig,
    "trainer": TrainerConfig,
    "device_emulator": DeviceEmulatorConfig,
}
"""The configuration of each node, by the node's name."""


class ConfigError(ValueError):
    """A configuration is invalid; the message names file, node, parameter, value and bound."""

    EXIT_CODE = 2
    """Exit code of a process that ends with this error; it is not restarted, because it would fail again."""
    WORDS = "configuration error: "
    """The last line of such a process begins with this."""


def explain(error: ValidationError) -> str:
    """One sentence for every reason, joined by ``; ``."""
    return "; ".join(
        f"{'.'.join(str(p) for p in e['loc']) or 'configuration'} = {e['input']!r}: {e['msg']}"
        + (", so put it in quotes" if e["type"] == "string_type" else "")
        if e["loc"]
        else str(e.get("ctx", {}).get("error", e["msg"]))
        for e in error.errors(include_url=False)
    )


def as_yaml() -> str:
    """All defaults as a commented ROS 2 parameter file: the text of ``config/dasha.yaml``."""
    lines = ["# Every parameter of dasha_ros with its default. Written by `dasha config`: edit a copy."]
    for name, model in NODES.items():
        lines += ["", f"# {(model.__doc__ or '').splitlines()[0]}", f"/**/{name}:", "  ros__parameters:"]
        config = model()
        for key, info in model.model_fields.items():
            unit, bounds = unit_of(model, key), bounds_of(model, key)
            notes = [n for n in (f"[{unit}]" if unit else "", bounds) if n]
            lines.append(f"    # {info.description}{' ' + ', '.join(notes) if notes else ''}")
            lines.append(f"    {key}: {plain_text(getattr(config, key))}")
    return "\n".join(lines) + "\n"


@cache
def _properties(model: type[NodeConfig]) -> dict[str, dict[str, Any]]:
    """The schema of a model's parameters; cached, because a node asks for it seventy times at its start."""
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    return properties


def _schema(model: type[NodeConfig], key: str) -> dict[str, Any]:
    return _properties(model)[key]


def unit_of(model: type[NodeConfig], key: str) -> str:
    """Unit of a parameter; empty if it has none."""
    return str(_schema(model, key).get("unit", ""))


def is_fixed(model: type[NodeConfig], key: str) -> bool:
    """Whether a parameter is read when the node is configured, and can't change until it is cleaned up."""
    return bool(_schema(model, key).get("fixed", False))


def is_for_good(model: type[NodeConfig], key: str) -> bool:
    """Whether a parameter is read when the process starts, and can't change afterwards."""
    return bool(_schema(model, key).get("for_good", False))


def limits_of(model: type[NodeConfig], key: str) -> tuple[float, float] | None:
    """Inclusive bounds of a number; ``None`` where there is none."""
    schema = _schema(model, key)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return None if low is None or high is None else (float(low), float(high))


def choices_of(model: type[NodeConfig], key: str) -> tuple[str, ...]:
    """The allowed values of a choice; empty for other parameters."""
    return tuple(_schema(model, key).get("enum", ()))


def bounds_of(model: type[NodeConfig], key: str) -> str:
    """The allowed values as text: ``24..70`` or ``twin | pylon``."""
    limits, choices = limits_of(model, key), choices_of(model, key)
    if limits:
        return f"{limits[0]:g}..{limits[1]:g}"
    return " | ".join(choices)
