"""What only some users need, and how to install it."""

from __future__ import annotations

from typing import Literal

from dasha_ros.paths import checkout_dir

_PACKAGES = {
    "hardware": "pypylon pyserial",
    "torch": "torch torchvision ultralytics-opencv-headless gymnasium stable-baselines3",
}


def how_to_install(extra: Literal["hardware", "torch"]) -> str:
    """What to do to have the packages of an extra, as a clause."""
    if checkout_dir() is not None:
        return f"run ./scripts/setup --{extra}"
    return f"pip install {_PACKAGES[extra]}"
