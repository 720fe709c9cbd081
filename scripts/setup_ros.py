"""Which ROS distribution ./scripts/setup installs, and what each one needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from setup_pip import SetupError

ROS_LAYERS = {"jazzy": "ros", "kilted": "ros-kilted"}
"""The lock file of each ROS distribution. A virtual environment holds only one of them."""
DEFAULT_ROS = "jazzy"
_UBUNTU = {"jazzy": "24.04", "kilted": "24.04"}
"""The Ubuntu release of a distribution's packages; later distributions use 26.04."""


def choose_ros(asked: str | None, stamp: dict[str, Any], venv: Path) -> str:
    """The ROS distribution of a virtual environment.

    Raises:
        SetupError: It holds another one. Their packages share names and folders and can't be mixed.
    """
    held = stamp.get("ros", DEFAULT_ROS if stamp else asked or DEFAULT_ROS)
    if asked not in (None, held):
        raise SetupError(f"{venv} holds ROS 2 {held}; to have {asked}, remove that folder and run this again")
    return str(held)


def ubuntu_requirements(distribution: str) -> str:
    """The file of packages that are too old in Ubuntu, for a machine with this distribution."""
    return f"requirements/ubuntu-{_UBUNTU.get(distribution, '26.04')}.txt"
