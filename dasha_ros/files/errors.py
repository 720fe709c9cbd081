"""Why a file can't be used."""

from __future__ import annotations

from pathlib import Path


class FileError(ValueError):
    """A file that can't be used; the message names it, says why and what to do."""

    def __init__(self, path: str | Path, reason: str) -> None:
        """Of a file.

        Args:
            path: Which.
            reason: Why, and what to do: goes on after "PATH: ".
        """
        super().__init__(f"{shown(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[FileError], tuple[Path, str]]:
        """Errors cross from the processes of a pool to this one."""
        return type(self), (self.path, self.reason)


def shown(path: str | Path) -> str:
    """A path as text that every terminal takes: bytes that are no UTF-8 and control characters escaped."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def first_line(error: BaseException, longest: int = 160) -> str:
    """What a library says of a failure, on one line and not endless."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = shown(lines[0] if lines else type(error).__name__)
    return text if len(text) <= longest else text[: longest - 3] + "..."
