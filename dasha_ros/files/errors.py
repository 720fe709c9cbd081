"""The error of a file that can't be used, and how paths are shown in messages."""

from __future__ import annotations

from pathlib import Path


class FileError(ValueError):
    """A file can't be used; the message names it and says why and what to do."""

    def __init__(self, path: str | Path, reason: str) -> None:
        """Compose the message.

        Args:
            path: The file.
            reason: Why it can't be used and what to do; continues after "PATH: ".
        """
        super().__init__(f"{shown(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason

    @property
    def is_missing(self) -> bool:
        """Whether there is no such file, or a part of its path is no folder."""
        return isinstance(self.__cause__, FileNotFoundError | NotADirectoryError)

    def __reduce__(self) -> tuple[type[FileError], tuple[Path, str]]:
        """Survive pickling: worker processes send their errors to this one."""
        return type(self), (self.path, self.reason)


def shown(path: str | Path) -> str:
    """A path as any terminal can print it: invalid UTF-8 and control characters are escaped."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def first_line(error: BaseException, longest: int = 160) -> str:
    """The first line of an error's message, cut to ``longest`` characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = shown(lines[0] if lines else type(error).__name__)
    return text if len(text) <= longest else text[: longest - 3] + "..."
