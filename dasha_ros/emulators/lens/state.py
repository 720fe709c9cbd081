"""What the emulated lens does, told to the emulated camera through a small file beside the lens's port.

A real camera sees a real lens; an emulated one must ask. The file is the light between
them: no driver and no agent reads it. It lies in memory, and a link beside the port leads to
it: the board must not answer late because a disk is busy.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from dasha_ros.devices.varioptic.port_lock import is_abandoned
from dasha_ros.emulators.memory import memory_folder
from dasha_ros.files.documents import parse_json
from dasha_ros.optics.actuator import PowerTrajectory


@dataclass(frozen=True, slots=True)
class EmulatedLensState:
    """The output of the driver chip and the move that it started."""

    volts: float
    """What the driver chip puts out [V]."""
    trajectory: PowerTrajectory
    """The focus in time, on the steady clock."""


def state_path(link: Path) -> Path:
    """Where the state of the emulator whose port is ``link`` is found."""
    return link.with_name(link.name + ".state.json")


class StateFile:
    """The state of one emulated lens, for its camera to see.

    Raises:
        OSError: (On creation) The folder of ``link`` can't be written to.
    """

    def __init__(self, link: Path) -> None:
        """Make the file, still empty, and the link to it beside the port."""
        self._link = state_path(link)
        self._folder = memory_folder()
        self._file = Path(self._folder.name) / "state.json"
        self._fresh = self._file.with_name("fresh.json")
        # What a killed one left must not pass for ours.
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._file)

    def write(self, state: EmulatedLensState) -> None:
        """Replace the state; a reader sees the old or the new one, never half of one."""
        self._fresh.write_text(json.dumps(asdict(state)), encoding="ascii")
        os.replace(self._fresh, self._file)

    def remove(self) -> None:
        """Take both away; the end of the process takes the file away, too."""
        self._link.unlink(missing_ok=True)
        self._folder.cleanup()


def read_state(link: Path) -> EmulatedLensState:
    """The newest state.

    Raises:
        FileNotFoundError: No emulator serves ``link``, or it was killed.
        ValueError: The file is none of ours.
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
        return EmulatedLensState(float(fields["volts"]), PowerTrajectory(**fields["trajectory"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no state of an emulated lens: {error}") from error
