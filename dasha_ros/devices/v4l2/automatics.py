"""Takes controls over for a while and gives them back, also those that a killed process had taken.

What a control was before is written to a file before the control is changed. Whoever opens the device next
finds the file of a process that died, and gives back what that process had found.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.v4l2.controls import Control
from dasha_ros.devices.v4l2.port import WebcamPort
from dasha_ros.files.documents import parse_json
from dasha_ros.system.folders import user_folder

FOLDER = "~/.ros/dasha/webcams"
"""Where the files are, one for each device and role."""


class TakenControls:
    """The controls of one device that one process has taken over.

    The file is locked while a process has taken controls, so that two graphs can't fight over one device.
    """

    def __init__(self, device: str, role: str, folder: Path | None = None) -> None:
        """Take nothing yet.

        Args:
            device: Names the device.
            role: ``camera`` or ``lens``: each takes its own controls.
            folder: Where the file is; left out: `FOLDER`.
        """
        self._device, self._role, self._folder = device, role, folder
        self._file: IO[str] | None = None
        self._before: dict[int, int] = {}

    def begin(self) -> None:
        """Claim the role on this device, and learn what a killed process had found.

        Raises:
            DeviceLost: Another process has the role, or the file can't be written.
        """
        if self._file is not None:
            return
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{self._device} {self._role}").strip("-").lower()
        path = (self._folder or user_folder(FOLDER)) / f"{name}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
        except OSError as error:
            raise DeviceLost(
                f"{path} can't be written ({error.strerror}): free space, or make it writable"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise DeviceLost(
                f"another process already uses the {self._role} of {self._device}:"
                " stop that graph or command first"
            ) from error
        self._file, self._before = file, _controls(file.read())

    def take(self, port: WebcamPort, control: Control, value: int) -> None:
        """Set a control, after noting what it was.

        Raises:
            DeviceError: The device refused.
        """
        if control.id not in self._before:
            self._before[control.id] = port.get(control)
            self._note()
        port.set(control, value)

    def give_back(self, port: WebcamPort, controls: Mapping[int, Control]) -> list[str]:
        """Set every control to what it was and forget it; returns the names of those that refused.

        Those stay noted for the next time, and so do all of a device that is lost.
        """
        refused: list[str] = []
        # The last one taken comes first: an automatic function would refuse what it takes over.
        for number, value in reversed(list(self._before.items())):
            control = controls.get(number)
            if control is not None:
                try:
                    port.set(control, value)
                except DeviceError as error:
                    refused.append(control.name)
                    if isinstance(error, DeviceLost):
                        break
                    continue
            del self._before[number]
        self._note()
        return refused

    def end(self) -> None:
        """Let others have the role. What was not given back stays noted."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note(self) -> None:
        assert self._file is not None, "begin comes first"
        # A full disk must not keep the device from working; then a killed process leaves its settings.
        with suppress(OSError):
            self._file.seek(0)
            self._file.truncate()
            json.dump({str(number): value for number, value in self._before.items()}, self._file)
            self._file.flush()


def _controls(text: str) -> dict[int, int]:
    """The controls in a file; what cannot be read was cut off when a process was killed."""
    try:
        document = parse_json(text) if text else {}
        return {int(number): int(value) for number, value in document.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
