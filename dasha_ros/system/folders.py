"""Folders of the user's that are written to, where there is no home or it can't be written.

In a container, for a service or on a read-only disk, what belongs below ``~`` goes to a temporary folder, and
a warning says so. What the user has named is used as it is.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

_told: set[str] = set()


def temporary_home() -> Path:
    """Stands for the user's home where that can't be written."""
    return Path(tempfile.gettempdir()) / f"dasha-{os.getuid()}"


def warn(sentence: str) -> None:
    """Say something on standard error, once."""
    if sentence not in _told:
        _told.add(sentence)
        with suppress(OSError, ValueError):  # a closed standard error
            print(f"warning: {sentence}", file=sys.stderr, flush=True)


def why_not(folder: Path) -> str:
    """Make a folder; why it can't be written, empty when it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "it is not writable"


def user_folder(name: str | Path) -> Path:
    """A folder to write to: ``name``, or a temporary one where ``name`` is below ``~`` and can't be made."""
    parts = Path(name).parts
    if not parts or parts[0] != "~":
        return Path(name).expanduser()
    try:
        folder = Path(name).expanduser()
        reason = why_not(folder)
    except RuntimeError:  # a user that the system does not know, without HOME
        folder, reason = Path(name), "there is no home directory"
    if not reason:
        return folder
    other = temporary_home().joinpath(*parts[1:])
    warn(f"{folder} can't be used ({reason}): {other} is used instead")
    return other


def settle(environ: MutableMapping[str, str] = os.environ) -> None:
    """Give the process a home, and a folder for ROS's logs that can be written. Call it before ROS begins."""
    if not environ.get("HOME"):
        try:
            environ["HOME"] = str(Path.home())
        except RuntimeError:
            environ["HOME"] = str(temporary_home())
    if environ.get("ROS_LOG_DIR"):
        folder = Path(environ["ROS_LOG_DIR"]).expanduser()
    elif environ.get("ROS_HOME"):
        folder = Path(environ["ROS_HOME"]).expanduser() / "log"
    else:
        folder = Path(environ["HOME"]) / ".ros" / "log"
    if reason := why_not(folder):
        other = temporary_home() / "log"
        other.mkdir(parents=True, exist_ok=True)
        environ["ROS_LOG_DIR"] = str(other)
        warn(
            f"logs can't be written to {folder} ({reason}): they go to {other}; "
            "set ROS_LOG_DIR to a folder of your own"
        )
