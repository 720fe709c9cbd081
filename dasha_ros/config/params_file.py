"""Reads from a ROS parameter file the values for the nodes of one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dasha_ros.config import NODES, ConfigError, NodeConfig, explain
from dasha_ros.config.hints import meant
from dasha_ros.config.qos_overrides import PREFIX, refusal_in
from dasha_ros.config.ros_file import Block, Given, RosFile
from dasha_ros.config.ros_value import Value, YamlError
from dasha_ros.files import version_0_1
from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.documents import MOST_YAML_BYTES
from dasha_ros.files.errors import FileError
from dasha_ros.files.regular import read_bytes

_CLIENT_LIBRARY = ("use_sim_time", "start_type_description_service")
"""Parameters that every node has without declaring them itself."""


@dataclass(frozen=True)
class Loaded:
    """A file's values for the nodes of one namespace."""

    configs: dict[str, NodeConfig] = field(default_factory=lambda: {n: model() for n, model in NODES.items()})
    """Configuration by node; without a file, the defaults."""
    others: dict[str, dict[str, Value]] = field(default_factory=dict)
    """Parameters of the client library by node: ``use_sim_time``, ``qos_overrides``."""
    warnings: tuple[str, ...] = ()
    """Entries that seem to be meant for these nodes but have no effect."""


def load(path: str | Path, namespace: str, nodes: Sequence[str] = tuple(NODES)) -> Loaded:
    """Read a ROS 2 parameter file and validate the values for the nodes of a namespace.

    Blocks for other nodes are ignored, because one file may serve a whole robot.

    Args:
        path: The file.
        namespace: Namespace of the nodes, e.g. ``/dasha``.
        nodes: Names of the nodes that will run, for hints.

    Raises:
        ConfigError: The file does not exist, rcl could not read it, or a value is out of bounds.
    """
    path = Path(path)
    try:
        content = read_bytes(path, MOST_YAML_BYTES)
        file = RosFile(content)
    except FileError as error:
        raise ConfigError(str(error)) from error
    except YamlError as error:
        why = _other_kind(content[:4096])
        raise ConfigError(str(FileError(path, why)) if why else f"{path}: {error}") from error
    configs: dict[str, NodeConfig] = {}
    others: dict[str, dict[str, Value]] = {}
    warnings = []
    for name, model in NODES.items():
        given = file.parameters(f"{namespace}/{name}")
        own = {key: value for key, value in given.items() if key in model.model_fields}
        general = {key: value for key, value in given.items() if is_general(key)}
        for key, value in general.items():
            if why := _refusal(namespace, key, value.value):
                raise ConfigError(f"{path}: line {value.line}: {name}: {key} = {value.value!r}: {why}")
        others[name] = {key: value.value for key, value in general.items()}
        if name in nodes:
            for key in sorted(given.keys() - own.keys() - others[name].keys()):
                warnings.append(_unknown(path, file, f"{namespace}/{name}", key, given[key].line))
        configs[name] = _config(path, name, model, own)
    warnings += [_astray(path, file, block, namespace, nodes) for block in file.blocks]
    return Loaded(configs, others, tuple(dict.fromkeys(filter(None, warnings))))


def _refusal(namespace: str, key: str, value: Value) -> str:
    """Why a parameter of the client library can't have a value, or ""."""
    if key in _CLIENT_LIBRARY:
        return "" if isinstance(value, bool) else "must be true or false"
    return refusal_in(namespace, key, value)


def _other_kind(content: bytes) -> str:
    """What a file that can't be read is instead; "" if it looks like none that is known.

    A right file may hold the same words, in a comment or in a parameter of another package.
    """
    if content.strip() and (why := placeholder(content)):
        return why
    kind = kind_of(content)
    return f"is {kind}, not a parameter file" if kind else ""


def is_general(parameter: str) -> bool:
    """Whether a parameter belongs to the client library."""
    return parameter in _CLIENT_LIBRARY or parameter.startswith(PREFIX)


def _config(path: Path, name: str, model: type[NodeConfig], given: dict[str, Given]) -> NodeConfig:
    values: dict[str, Any] = {}
    for key, value in given.items():
        is_text = isinstance(model.model_fields[key].default, str)
        # A serial number is a text, although it looks like a number.
        values[key] = value.text if is_text and value.text is not None else value.value
    try:
        return model(**values)
    except ValidationError as error:
        lines = sorted({given[str(e["loc"][0])].line for e in error.errors() if e["loc"]})
        where = f"line {', '.join(map(str, lines))}: " if lines else ""
        raise ConfigError(f"{path}: {where}{name}: {explain(error)}") from error


def _unknown(path: Path, file: RosFile, full_name: str, parameter: str, line: int) -> str:
    """A warning about an unknown parameter; empty if its block is also for other nodes."""
    sources = [b for b in file.blocks if b.matches(full_name) and parameter in dict(b.parameters())]
    name = full_name.rpartition("/")[2]
    if all(block.is_for_all for block in sources):
        return ""
    hint = version_0_1.parameter(name, parameter) or meant(parameter, NODES[name].model_fields)
    sentence = f"{path}: line {line}: {name} has no parameter {parameter!r}, so it is ignored"
    return f"{sentence}; {hint}" if hint else sentence


def _astray(path: Path, file: RosFile, block: Block, namespace: str, nodes: Sequence[str]) -> str:
    """A warning about a block that matches no node but seems to be meant for one; else empty."""
    if any(block.matches(f"{namespace}/{name}") for name in NODES):
        return ""
    written = block.pattern.rpartition("/")[2]
    like = [written] if written in NODES else get_close_matches(written, NODES, n=1, cutoff=0.8)
    if not like or like[0] not in nodes:
        return ""
    name = like[0]
    full_name = f"{namespace}/{name}"
    if written == name and any(b.matches(full_name) and not b.is_for_all for b in file.blocks):
        return ""  # It is for a node of the same name elsewhere, because this one has its own block.
    return (
        f"{path}: line {block.line}: {block.pattern} is not {full_name}, so this block is ignored; "
        f"did you mean {full_name}, or /**/{name} for any namespace?"
    )
