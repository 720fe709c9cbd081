"""Finds the files of a recording, and notices which of them are missing."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.regular import open_regular
from dasha_ros.recording.metadata import FILE
from dasha_ros.recording.writer import RecordingError

MOST_BYTES = 1 << 40
_NAMED = 5


def recording_files(path: Path) -> tuple[Path, ...]:
    """The file, or the files of the folder, as they follow one another.

    Raises:
        RecordingError: There is no recording.
    """
    try:
        if not path.is_dir():
            with open_regular(path, MOST_BYTES):
                return (path,)
        files = sorted(path.glob("*.mcap"), key=lambda file: (_number(file.name), file.name))
    except FileError as error:
        raise RecordingError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{shown(path)} can't be read: {error.strerror or error}") from error
    if not files:
        raise RecordingError(
            f"{shown(path)} holds no MCAP file: give a file, or the folder that `dasha record` wrote"
        )
    return tuple(files)


def missing_files(path: Path, files: Sequence[Path]) -> str:
    """A sentence that names the files that a recording lacks; empty: none is known to be missing.

    The metadata of the recording lists them, and their names are numbered.

    Args:
        path: The recording.
        files: Those that are there.
    """
    if not path.is_dir():
        return ""
    numbers = {_number(file.name) for file in files}
    gone = {name: _number(name) for name in _listed(path) if _number(name) not in numbers - {-1}}
    gaps = {
        name: number for name, number in _gaps(path.resolve(), files).items() if number not in gone.values()
    }
    missing = sorted((gone | gaps).items(), key=lambda item: (item[1], item[0]))
    if not missing:
        return ""
    names = ", ".join(shown(name) for name, _ in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    is_one = len(missing) == 1
    return (
        f"{len(missing)} of the {len(missing) + len(files)} files of {shown(path)} "
        f"{'is' if is_one else 'are'} missing ({names}{more}): only the others are used; copy "
        f"{'it' if is_one else 'them'} from where the recording was made"
    )


def _listed(path: Path) -> list[str]:
    """The files that the metadata name and that are not there; none if there are no metadata to be read."""
    try:
        document: Any = read_yaml(path / FILE)
        names = document["rosbag2_bagfile_information"]["relative_file_paths"]
        there = set(os.listdir(path))
        return [Path(name).name for name in names if isinstance(name, str) and Path(name).name not in there]
    except (FileError, OSError, LookupError, TypeError):
        return []


def _gaps(path: Path, files: Sequence[Path]) -> dict[str, int]:
    """The names that are left out where files are numbered one after another, and their numbers."""
    there = {_number(file.name) for file in files}
    stems = {file.stem.rpartition("_")[0] for file in files}
    # Recorders count from 0, and take the folder's name; other names may end in a date or a year.
    is_counted = all(file.stem.endswith(f"_{_number(file.name)}") for file in files)
    if not is_counted or stems != {path.name} or len(there) < 2 or not 0 <= min(there) <= len(there):
        return {}
    return {f"{path.name}_{number}.mcap": number for number in set(range(max(there))) - there}


def _number(name: str) -> int:
    number = re.search(r"_(\d+)$", Path(name).stem)
    return int(number.group(1)) if number else -1
