"""The parameter file that the setup writes. It also holds how far the setup has come.

That stands in a block for a node ``setup_camera``, which nobody starts: ROS ignores foreign blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dasha_ros.config import ConfigError
from dasha_ros.config.overrides import override_texts
from dasha_ros.config.params_file import load
from dasha_ros.config.ros_value import Value, parameter_text
from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.writing import write_whole

_STATE = "setup_camera"
_HEAD = """\
# Written by `dasha setup-camera`; call it again with this file to go on or to do a step again.
# Values may be changed here; comments are lost when it is written again.
"""


class SetupFile:
    """Parameters by node, and the steps that are done."""

    def __init__(self, path: Path) -> None:
        """Read the file, if it is there.

        Raises:
            ConfigError: It can't be used, or the setup did not write it.
        """
        self.path = path
        self._blocks: dict[str, dict[str, Any]] = {}
        if not path.exists():
            return
        load(path, "/dasha")
        try:
            document = read_yaml(path)
        except FileError as error:
            raise ConfigError(str(error)) from error
        blocks = document if isinstance(document, dict) else {}
        if f"/**/{_STATE}" not in blocks:
            raise ConfigError(
                f"{path} was not written by `dasha setup-camera`: give another file with --output"
            )
        for pattern, block in blocks.items():
            self._blocks[str(pattern).removeprefix("/**/")] = dict(block["ros__parameters"])

    @property
    def camera(self) -> str:
        """The chosen camera; empty: none yet."""
        return str(self._state.get("camera", ""))

    @property
    def rig(self) -> str:
        """The rig to name beside the file; empty: the file says all."""
        return str(self._state.get("rig", ""))

    @property
    def done(self) -> tuple[str, ...]:
        """The names of the steps that are done."""
        return tuple(str(self._state.get("done", "")).split())

    def value(self, key: str) -> Value | None:
        """The value of ``node.parameter``; ``None``: it is not in the file."""
        node, parameter = key.split(".")
        return self._blocks.get(node, {}).get(parameter)

    def overrides(self) -> tuple[str, ...]:
        """The parameters of the nodes as ``node.parameter=value``."""
        return override_texts(
            {
                f"{node}.{key}": value
                for node, values in self._blocks.items()
                if node != _STATE
                for key, value in values.items()
            }
        )

    def begin(self, camera: str, lens: str, rig: str, parameters: Mapping[str, Value]) -> None:
        """Choose devices. What was measured with others is no longer done."""
        self._blocks = {}
        self._state.update(camera=camera, lens=lens, **({"rig": rig} if rig else {}))
        self._set(parameters)

    def finish(self, step: str, parameters: Mapping[str, Value] | None = None) -> None:
        """Note that a step is done, with its parameters, and write the file.

        Raises:
            OSError: The file can't be written.
        """
        self._set(parameters or {})
        self._state["done"] = " ".join((*(name for name in self.done if name != step), step))
        lines = [_HEAD]
        for node, values in self._blocks.items():
            lines.append(f"/**/{node}:\n  ros__parameters:\n")
            lines += [f"    {key}: {parameter_text(value)}\n" for key, value in values.items()]
        write_whole(self.path, "".join(lines))

    @property
    def _state(self) -> dict[str, Any]:
        return self._blocks.setdefault(_STATE, {})

    def _set(self, parameters: Mapping[str, Value]) -> None:
        for key, value in parameters.items():
            node, parameter = key.split(".")
            self._blocks.setdefault(node, {})[parameter] = value
