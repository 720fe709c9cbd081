"""Names of commands and frames: who sent it, and its number among theirs. No clock can break that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass


def new_instance(name: str) -> str:
    """A name that tells one start of a node from the next: ``/dasha/lens_driver#5f3a09c2``."""
    return f"{name}#{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class CommandId:
    """Which command: ``sequence`` counts those of one ``sender`` from 1."""

    sender: str = ""
    sequence: int = 0


NO_COMMAND = CommandId()
"""In force before the first command."""


@dataclass(frozen=True, slots=True)
class FrameId:
    """Which frame: ``sequence`` counts those of one ``driver`` from 0."""

    driver: str = ""
    sequence: int = 0


NO_FRAME = FrameId()

IN_PROCESS = "in_process"
"""Who commands, moves and takes pictures where there are no nodes."""
