"""Rigs: the devices behind the two driver nodes, and the nodes that each rig has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dasha_ros.config import NodeConfig
from dasha_ros.config.ros_value import Value
from dasha_ros.emulators.lens.line import ANSWERS_WITHIN_S


@dataclass(frozen=True)
class Rig:
    """The devices behind the two driver nodes."""

    nodes: tuple[str, ...]
    parameters: Mapping[str, Value]
    """The overrides that make this rig, by ``node.parameter``."""


_COMMON = (
    "camera_driver",
    "lens_driver",
    "perception",
    "high_level_agent",
    "low_level_agent",
    "focus_server",
)

_SOCKETS: dict[str, Value] = {
    # A lens at the camera's own port is reached through the driver that owns the camera.
    "camera_driver.lens_socket": "{runtime}/lens_port.socket",
    "lens_driver.camera_socket": "{runtime}/lens_port.socket",
}
_PYLON: dict[str, Value] = {"camera_driver.backend": "pylon", **_SOCKETS}
_EMULATED: dict[str, Value] = {
    **_PYLON,
    "camera_driver.serial": "0815-0000",
    "camera_driver.emulator": "{runtime}/camera.socket",
    "lens_driver.port": "{runtime}/lens",
    "lens_driver.reply_timeout_ms": 1e3 * ANSWERS_WITHIN_S,
    "device_emulator.lens_link": "{runtime}/lens",
    "device_emulator.camera_socket": "{runtime}/camera.socket",
}

RIGS: dict[str, Rig] = {
    "twin": Rig(
        nodes=("twin_world", *_COMMON),
        parameters={"camera_driver.backend": "twin", "lens_driver.backend": "twin"},
    ),
    "emulated": Rig(
        nodes=("twin_world", "device_emulator", *_COMMON),
        parameters={**_EMULATED, "lens_driver.backend": "varioptic"},
    ),
    "emulated-optotune": Rig(
        nodes=("twin_world", "device_emulator", *_COMMON),
        parameters={
            **_EMULATED,
            "lens_driver.backend": "optotune",
            "device_emulator.lens_device": "optotune",
            "device_emulator.profile": "optotune",
            "device_emulator.lens_step": 0.005,
            "device_emulator.lens_hysteresis": 0.0,
            "device_emulator.time_constant_s": 0.005,
        },
    ),
    "stack": Rig(
        nodes=_COMMON,
        parameters={"camera_driver.backend": "stack", "lens_driver.backend": "stack"},
    ),
    "replay": Rig(
        nodes=_COMMON,
        parameters={"camera_driver.backend": "replay", "lens_driver.backend": "replay"},
    ),
    "hardware": Rig(
        nodes=_COMMON,
        parameters={**_PYLON, "lens_driver.backend": "varioptic"},
    ),
    "ros-driver": Rig(
        nodes=_COMMON,
        parameters={"camera_driver.backend": "ros_driver", "lens_driver.backend": "ros_driver"},
    ),
    "webcam": Rig(
        nodes=_COMMON,
        parameters={"camera_driver.backend": "v4l2", "lens_driver.backend": "v4l2"},
    ),
}
"""All rigs by name. ``{runtime}`` stands for the folder of `environment.runtime_dir`."""

_BACKENDS = "camera_driver.backend", "lens_driver.backend"


def rig_of(configs: Mapping[str, NodeConfig]) -> tuple[str, Rig]:
    """The rig of the devices that a configuration names; those of two kinds make a rig of their own.

    A twin's camera sees no other lens, so it is the twin's rig.

    Args:
        configs: By node.

    Returns:
        Its name and the rig.
    """
    camera, lens = (str(configs[node].model_dump()["backend"]) for node in ("camera_driver", "lens_driver"))
    if camera == "twin":
        return "twin", RIGS["twin"]
    for name in ("stack", "replay", "ros-driver", "webcam", "hardware"):
        if tuple(RIGS[name].parameters[key] for key in _BACKENDS) == (camera, lens):
            return name, RIGS[name]
    sockets = _SOCKETS if camera == lens == "pylon" else {}
    return f"{camera} and {lens}", Rig(_COMMON, {_BACKENDS[0]: camera, _BACKENDS[1]: lens, **sockets})


END_ORDER = (
    ("trainer", "focus_server"),
    ("high_level_agent", "low_level_agent"),
    ("perception",),
    ("lens_driver",),  # it may be reached through the camera, which therefore closes later
    ("camera_driver",),
    ("twin_world", "device_emulator"),
)
"""The stages of a shutdown; the nodes of a stage end together.

Drivers end after the nodes that command them, so that they can still restore lens and exposure."""
STAGES = {name: stage for stage, names in enumerate(END_ORDER) for name in names}
"""The stage of each node."""
