"""What the emulated lens does, told to the emulated camera through a small file beside the lens's port.

A real camera sees a real lens; an emulated one must ask. The file is the light between
them: no driver and no agent reads it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from dasha_ros.devices.port_lock import is_abandoned
from dasha_ros.optics.actuator import PowerTrajectory


@dataclass(frozen=True, slots=True)
class EmulatedLensState:
    """The output of the driver chip and the move that it started."""

    volts: float
    """What the driver chip puts out [V]."""
    trajectory: PowerTrajectory
    """The focus in time, on the system clock."""


def state_path(link: Path) -> Path:
    """The state file of the emulator whose port is ``link``."""
    return link.with_name(link.name + ".state.json")


def write_state(link: Path, state: EmulatedLensState) -> None:
    """Replace the state file; a reader sees the old or the new state, never half of one.

    Raises:
        OSError: The folder can't be written to.
    """
    path = state_path(link)
    fresh = path.with_name(path.name + f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(state)), encoding="ascii")
    os.replace(fresh, path)


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
        fields = json.loads(text)
        return EmulatedLensState(float(fields["volts"]), PowerTrajectory(**fields["trajectory"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no state of an emulated lens: {error}") from error
