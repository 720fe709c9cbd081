"""The user's folders, with a fallback for machines that have no writable home.

In a container, in a service or on a read-only disk, files that belong below ``~`` go to a temporary folder,
and a warning says so. A folder that the user names is always used as named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

NO_LOG_FILES = "--disable-external-lib-logs"
"""The argument after ``--ros-args`` that tells a ROS process to write no log file and to make no folder."""
_told: set[str] = set()


def temporary_home() -> Path:
    """The folder that replaces the user's home where that can't be written."""
    return Path(tempfile.gettempdir()) / f"dasha-{os.getuid()}"


def warn(sentence: str) -> None:
    """Print a warning on standard error, once per process."""
    if sentence not in _told:
        _told.add(sentence)
        with suppress(OSError, ValueError):  # standard error may be closed
            print(f"warning: {sentence}", file=sys.stderr, flush=True)


def why_not(folder: Path) -> str:
    """Make a folder and return why it can't be written, or an empty string when it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "it is not writable"


def user_folder(name: str | Path) -> Path:
    """A folder to write to: ``name``, or a temporary one if ``name`` is below ``~`` and can't be made."""
    parts = Path(name).parts
    if not parts or not parts[0].startswith("~"):
        return Path(name)
    try:
        folder = Path(name).expanduser()
        reason = "" if parts[0] != "~" else why_not(folder)
    except RuntimeError:  # No such user; or HOME is not set, and the system does not know this one.
        folder, reason = Path(name), "there is no home directory"
    if not reason:
        return folder
    other = temporary_home().joinpath(*parts[1:])
    warn(f"can't use {folder} ({reason}): using {other} instead")
    return other


def settle(environ: MutableMapping[str, str] = os.environ) -> None:
    """Give the process a home and a writable folder for ROS logs. Call it before ROS starts."""
    if not environ.get("HOME"):
        try:
            environ["HOME"] = str(Path.home())
        except RuntimeError:
            environ["HOME"] = str(temporary_home())
    if environ.get("ROS_LOG_DIR"):
        folder = Path(environ["ROS_LOG_DIR"])
    elif environ.get("ROS_HOME"):
        folder = Path(environ["ROS_HOME"]) / "log"
    else:
        folder = Path(environ["HOME"]) / ".ros" / "log"
    try:
        folder = folder.expanduser()
        reason = why_not(folder)
    except RuntimeError:
        reason = "there is no such user"
    if reason:
        other = temporary_home() / "log"
        other.mkdir(parents=True, exist_ok=True)
        environ["ROS_LOG_DIR"] = str(other)
        warn(
            f"can't write logs to {folder} ({reason}): writing them to {other}; "
            "set ROS_LOG_DIR to a folder of your own"
        )
