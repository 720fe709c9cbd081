"""Takes controls over for a while and gives them back, also those that a killed process had taken.

What a control was before is written to a file before the control is changed. Whoever opens the device next
finds the file of a process that died, and gives back what that process had found.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.notes import RoleNotes
from dasha_ros.devices.v4l2.controls import Control
from dasha_ros.devices.v4l2.port import WebcamPort
from dasha_ros.system.folders import user_folder

FOLDER = "~/.ros/dasha/webcams"
"""Where the files are, one for each device and role."""


class TakenControls:
    """The controls of one device that one process has taken over."""

    def __init__(self, device: str, role: str, folder: Path | None = None) -> None:
        """Take nothing yet.

        Args:
            device: Names the device.
            role: ``camera`` or ``lens``: each takes its own controls.
            folder: Where the file is; left out: `FOLDER`.
        """
        self._notes = RoleNotes(device, role, folder or user_folder(FOLDER))
        self._before: dict[int, int] = {}

    def begin(self) -> None:
        """Claim the role on this device, and learn what a killed process had found.

        Raises:
            DeviceLost: Another process has the role, or the file can't be written.
        """
        if not self._notes.is_begun:
            self._before = _controls(self._notes.begin())

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
        self._notes.end()

    def _note(self) -> None:
        self._notes.write({str(number): value for number, value in self._before.items()})


def _controls(noted: Mapping[str, object]) -> dict[int, int]:
    """The controls in the notes; a file that somebody else wrote means nothing."""
    try:
        return {int(number): int(str(value)) for number, value in noted.items()}
    except ValueError:
        return {}
