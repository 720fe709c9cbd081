"""Rigs whose camera and lens are one thing that is named once: a stack, a recording, a camera node."""

from __future__ import annotations

from collections.abc import Mapping

from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.config.ros_value import Value
from dasha_ros.files.errors import shown
from dasha_ros.files.naming import expanded

_NODES = "camera_driver", "lens_driver"
_STACK = "stack", "stack_step"
_DRIVER = "driver", "driver_node", "driver_latency"


def with_one_stack(configs: Mapping[str, NodeConfig], values: Mapping[str, Value]) -> dict[str, Value]:
    """Complete the values of one driver node by those of the other, and check the stack.

    Args:
        configs: Of the parameter file, by node.
        values: ``node.parameter`` and the value that replaces the file's.

    Raises:
        ConfigError: No stack is named, two different ones are, or it can't be used.
    """
    # Imported here, because only this rig needs pictures before a node runs.
    from dasha_ros.devices.stack.description import StackError, load_stack

    complete = _shared(configs, values, _STACK)
    folder = complete.get("camera_driver.stack", "")
    if not folder:
        raise ConfigError("the rig 'stack' needs a focal stack: --set camera_driver.stack=FOLDER")
    try:
        load_stack(str(folder))
    except StackError as error:
        raise ConfigError(str(error)) from error
    return complete


def with_one_recording(configs: Mapping[str, NodeConfig], values: Mapping[str, Value]) -> dict[str, Value]:
    """Complete the values of one driver node by those of the other; the nodes check the recording.

    Args:
        configs: Of the parameter file, by node.
        values: ``node.parameter`` and the value that replaces the file's.

    Raises:
        ConfigError: No recording is named, two different ones are, or there is none.
    """
    complete = _shared(configs, values, ("recording",))
    path = str(complete.get("camera_driver.recording", ""))
    if not path:
        raise ConfigError("the rig 'replay' needs a recording: --set camera_driver.recording=PATH")
    whole = expanded(path, ConfigError)
    if not whole.exists():
        raise ConfigError(f"{shown(path)}: there is no such recording")
    # The nodes may run in another folder.
    return complete | {f"{node}.recording": str(whole.absolute()) for node in _NODES}


def with_one_driver(configs: Mapping[str, NodeConfig], values: Mapping[str, Value]) -> dict[str, Value]:
    """Complete the values of one driver node by those of the other; two camera nodes may be named, too."""
    return _shared(configs, values, _DRIVER, may_differ=True)


def _shared(
    configs: Mapping[str, NodeConfig],
    values: Mapping[str, Value],
    keys: tuple[str, ...],
    may_differ: bool = False,
) -> dict[str, Value]:
    complete = dict(values)
    for key in keys:
        known = {}
        for node in _NODES:
            default = getattr(type(configs[node])(), key)
            value = complete.get(f"{node}.{key}", getattr(configs[node], key))
            if value != default:
                known[node] = value
        if len(set(known.values())) > 1:
            if may_differ:
                continue
            raise ConfigError(
                f"camera_driver.{key} = {known['camera_driver']!r} and "
                f"lens_driver.{key} = {known['lens_driver']!r}: give both the same, or one alone"
            )
        complete |= {f"{node}.{key}": value for value in known.values() for node in _NODES}
    return complete
