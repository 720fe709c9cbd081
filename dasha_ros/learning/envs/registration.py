"""Gymnasium's names of the environments."""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

ENVIRONMENTS = {
    "DashaExposure-v0": "exposure_env",
    "DashaFocus-v0": "focus_env",
    "DashaJoint-v0": "joint_env",
}
"""Ids, and their factories in `making`, which take the arguments of ``gymnasium.make``."""


def register_environments() -> None:
    """Make the environments known to ``gymnasium.make``. A second call changes nothing."""
    for name, maker in ENVIRONMENTS.items():
        if name not in registry:
            register(name, entry_point=f"dasha_ros.learning.envs.making:{maker}")
