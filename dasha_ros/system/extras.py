"""Optional packages: checks that they are installed and says how to install them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from dasha_ros.system.paths import checkout_dir

Extra = Literal["hardware", "webcam", "indi", "torch", "replay", "cluster"]

_PACKAGES = {
    "hardware": "pypylon pyserial linuxpy indipyclient",
    "webcam": "linuxpy",
    "indi": "indipyclient",
    "cluster": "ray",
    "replay": "mcap mcap-ros2-support",
    "torch": "torch torchvision ultralytics-opencv-headless gymnasium stable-baselines3",
}
_LAYERS = {"webcam": "hardware", "indi": "hardware", "replay": ""}
"""The layer of ``scripts/setup`` that brings an extra, where it has another name; empty: it is in all."""


class ExtraMissing(ImportError):
    """A feature needs packages that are not installed."""


def how_to_install(extra: Extra) -> str:
    """The command that installs the packages of an extra, as a clause."""
    if checkout_dir() is not None:
        layer = _LAYERS.get(extra, extra)
        return f"run ./scripts/setup --{layer}" if layer else "run ./scripts/setup"
    return f"pip install {_PACKAGES[extra]}"


def require(extra: Extra, what: str, *modules: str) -> None:
    """Check that modules are installed, without importing them.

    Args:
        extra: The extra that brings the modules.
        what: The feature that needs them; begins the message.
        modules: Their names.

    Raises:
        ExtraMissing: A module is missing; the message says what needs it and how to install it.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise ExtraMissing(
            f"{what} needs {' and '.join(missing)}, which {are} not installed: {how_to_install(extra)}"
        )
