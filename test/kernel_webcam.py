"""The emulated webcam plugged into this machine's kernel, for tests marked ``webcam``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ros_harness import wait_for

from dasha_ros.devices.v4l2.discovery import list_webcams
from dasha_ros.emulators.webcam import vhci

PATIENCE_S = 300.0
"""A guest without a processor of its own is slow."""


class KernelWebcam:
    """`dasha emulate webcam` as a program of its own."""

    def __init__(self, *options: str) -> None:
        if not (vhci.CONTROLLER / "attach").exists() or not vhci.loaded_modules():
            pytest.skip("needs the kernel modules vhci-hcd and uvcvideo: ./scripts/test-webcam has a guest")
        command = [sys.executable, "-m", "dasha_ros.cli", "emulate", "webcam", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._answer() == "webcam plugged in"
        self._await(present=True)

    def __call__(self, line: str) -> str:
        """Say a line to the emulator and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def unplug(self) -> None:
        assert self("unplug") == "unplugged"
        self._await(present=False)

    def plug(self) -> None:
        assert self("plug") == "plugged in"
        self._await(present=True)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_S)
        self._await(present=False)

    @property
    def controls(self) -> dict[str, int]:
        """The device's own controls."""
        words = (word.partition("=") for word in self("state").split(", ")[1].split())
        return {name: int(value) for name, _, value in words}

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _await(self, *, present: bool) -> None:
        """Wait until the kernel shows the device, or no longer shows it."""

        def shown() -> bool:
            return any(webcam.node.exists() for webcam in list_webcams())

        until(lambda: shown() == present, "the kernel to notice the webcam")


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll the kernel, which tells nobody, until a condition holds; a guest without acceleration is slow."""
    wait_for(condition, what, PATIENCE_S)


def chart_options(scene: str | Path) -> list[str]:
    """Options of a small webcam that looks at a scene."""
    return ["--scene", str(scene), "--width", "64", "--height", "48", "--rate", "60", "--seed", "0"]
