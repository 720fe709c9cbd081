"""Tells the emulated camera where the emulated lens is, through a small file beside the lens's port.

The file replaces the light between a real lens and a real camera: no driver and no agent reads it. It is in
memory, and a link beside the port leads to it, so that a busy disk does not delay the board's answers.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from dasha_ros.devices.serial.port_lock import is_abandoned
from dasha_ros.emulators.memory import memory_folder
from dasha_ros.files.documents import parse_json
from dasha_ros.optics.actuator import PowerTrajectory


@dataclass(frozen=True, slots=True)
class EmulatedLensState:
    """The output of the electronics, and the move that it started."""

    position: float
    """What the electronics put out, in the lens's unit."""
    trajectory: PowerTrajectory
    """The focus as a function of time, on the steady clock."""


def state_path(link: Path) -> Path:
    """The path of the state of the emulator whose port is ``link``."""
    return link.with_name(link.name + ".state.json")


class StateFile:
    """The state of one emulated lens, for its camera.

    Raises:
        OSError: (On creation) The folder of ``link`` can't be written to.
    """

    def __init__(self, link: Path) -> None:
        """Make the link to the file, which does not exist yet."""
        self._link = state_path(link)
        self._folder = memory_folder()
        self._file = Path(self._folder.name) / "state.json"
        self._fresh = self._file.with_name("fresh.json")
        # A link that a killed emulator left must not pass for this one's.
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._file)

    def write(self, state: EmulatedLensState) -> None:
        """Replace the state; readers see the old or the new one, never half of it."""
        self._fresh.write_text(json.dumps(asdict(state)), encoding="ascii")
        os.replace(self._fresh, self._file)

    def remove(self) -> None:
        """Remove file and link; the end of the process removes the file, too."""
        self._link.unlink(missing_ok=True)
        self._folder.cleanup()


def read_state(link: Path) -> EmulatedLensState:
    """Read the newest state.

    Raises:
        FileNotFoundError: No emulator serves ``link``, or it was killed.
        ValueError: The file is not a state file.
    """
    path = state_path(link)
    if is_abandoned(link):
        raise FileNotFoundError(f"the lens emulator at {link} was killed; start it again")
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no lens emulator serves {link} (there is no {path}); start one with `dasha emulate lens`"
        ) from error
    try:
        fields = parse_json(text)
        return EmulatedLensState(float(fields["position"]), PowerTrajectory(**fields["trajectory"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the state of an emulated lens: {error}") from error
