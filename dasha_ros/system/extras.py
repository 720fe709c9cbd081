"""What only some users need, and how to install it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from dasha_ros.system.paths import checkout_dir

Extra = Literal["hardware", "torch"]

_PACKAGES = {
    "hardware": "pypylon pyserial",
    "torch": "torch torchvision ultralytics-opencv-headless gymnasium stable-baselines3",
}


class ExtraMissing(ImportError):
    """Something was asked for whose packages are not installed."""


def how_to_install(extra: Extra) -> str:
    """What to do to have the packages of an extra, as a clause."""
    if checkout_dir() is not None:
        return f"run ./scripts/setup --{extra}"
    return f"pip install {_PACKAGES[extra]}"


def require(extra: Extra, what: str, *modules: str) -> None:
    """Make sure that modules are there, without importing them.

    Raises:
        ExtraMissing: One is not; the sentence says what needs it and what to do.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise ExtraMissing(
            f"{what} needs {' and '.join(missing)}, which {are} not installed: {how_to_install(extra)}"
        )
