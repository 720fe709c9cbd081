"""Notes on disk of what a device was before it was used, for whoever comes after a killed process."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.files.documents import parse_json


class RoleNotes:
    """The notes of one role on one device, in a file that is locked while a process has the role.

    So two graphs can't fight over one device.
    """

    def __init__(self, device: str, role: str, folder: Path) -> None:
        """Claim nothing yet.

        Args:
            device: Names the device.
            role: ``camera`` or ``lens``: each takes its own settings.
            folder: Where the file is.
        """
        self._device, self._role, self._folder = device, role, folder
        self._file: IO[str] | None = None

    @property
    def is_begun(self) -> bool:
        """Whether this process has the role."""
        return self._file is not None

    def begin(self) -> dict[str, Any]:
        """Claim the role, and return the notes of a process that was killed; empty if there are none.

        Raises:
            DeviceLost: Another process has the role, or the file can't be written.
        """
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{self._device} {self._role}").strip("-").lower()
        path = self._folder / f"{name}.json"
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
        self._file = file
        try:
            document = parse_json(file.read())
        except ValueError:  # it is new, or was cut off when a process was killed
            return {}
        return document if isinstance(document, dict) else {}

    def write(self, before: Mapping[str, Any]) -> None:
        """Replace the notes."""
        assert self._file is not None, "begin comes first"
        # A full disk must not keep the device from working; then a killed process leaves its settings.
        with suppress(OSError):
            self._file.seek(0)
            self._file.truncate()
            json.dump(dict(before), self._file)
            self._file.flush()

    def end(self) -> None:
        """Let others have the role; what is noted stays noted."""
        if self._file is not None:
            self._file.close()
            self._file = None
