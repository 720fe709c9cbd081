"""Identities of commands and frames: the sender and its running number. They do not depend on any clock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass


def new_instance(name: str) -> str:
    """A name that differs between two starts of the same node: ``/dasha/lens_driver#5f3a09c2``."""
    return f"{name}#{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class CommandId:
    """Identifies a command: ``sequence`` counts the commands of one ``sender`` from 1."""

    sender: str = ""
    sequence: int = 0


NO_COMMAND = CommandId()
"""Stands for the setting before the first command."""


@dataclass(frozen=True, slots=True)
class FrameId:
    """Identifies a frame: ``sequence`` counts the frames of one ``driver`` from 0."""

    driver: str = ""
    sequence: int = 0


NO_FRAME = FrameId()

IN_PROCESS = "in_process"
"""The sender and driver of rigs that run in one process, without nodes."""
