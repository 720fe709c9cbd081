"""The last reports of the focus server, where it runs on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.files.errors import FileError
from dasha_ros.files.regular import read_bytes

SHOWN = 12
"""Number of reports that the page lists."""
_FOLDER = re.compile(r"\d{8}T\d{9}Z-[\w.-]{1,200}", re.ASCII)
_FILES = {
    ".html": (re.compile(r"index\.html"), "text/html"),
    ".jpg": (re.compile(r"[\w-]{1,60}\.jpg", re.ASCII), "image/jpeg"),
}
_MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class ReportFolder:
    """A folder of reports. A link or any other way out of it is not followed."""

    path: Path

    def newest(self) -> list[str]:
        """Names of the newest reports, newest first; none where the folder can't be read."""
        try:
            names = [entry.name for entry in self.path.iterdir()]
        except OSError:
            return []
        return sorted((name for name in names if _FOLDER.fullmatch(name)), reverse=True)[:SHOWN]

    def read(self, report: str, file: str) -> tuple[bytes, str] | None:
        """The content of a report's file and its type; ``None`` if there is no such file to show."""
        pattern, kind = _FILES.get(Path(file).suffix, (None, ""))
        if pattern is None or not pattern.fullmatch(file) or not _FOLDER.fullmatch(report):
            return None
        folder = self.path / report
        if folder.is_symlink() or (folder / file).is_symlink():
            return None
        try:
            return read_bytes(folder / file, _MOST_BYTES), kind
        except FileError:
            return None
