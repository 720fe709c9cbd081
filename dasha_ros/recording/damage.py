"""What was found damaged in one file of a recording, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dasha_ros.files.errors import shown
from dasha_ros.recording.records import CUT, Piece, Summary


@dataclass
class Damage:
    """Collected while a file is read."""

    path: Path
    size: int
    """Bytes of the file."""
    summary: Summary
    used: int = 0
    """Messages that were read."""
    nameless: int = 0
    """Messages whose topic is not known, because its definition is damaged."""
    _records: int = 0
    _bytes: int = 0
    _why: str = ""
    _end: tuple[int, str] | None = None

    def leave_out(self, piece: Piece) -> None:
        """Count a damaged record."""
        self._records, self._bytes = self._records + 1, self._bytes + piece.size
        self._why = self._why or piece.damage

    def end(self, offset: int, why: str) -> None:
        """Nothing is read from this byte on."""
        self._end = offset, why

    @property
    def sentence(self) -> str:
        """All of it, for people; empty: the file is whole."""
        found = [*self._ended(), *self._left_out(), *self._lost()]
        if not found:
            return ""
        rest = "everything else" if self._end is None else "what comes before"
        return f"{shown(self.path)} {', and '.join(found)}: {rest} is used"

    def _ended(self) -> list[str]:
        if self._end is None:
            return []
        offset, why = self._end
        if self.summary.is_closed:
            why = "the length of a record there is wrong" if why == CUT else why
            return [f"can't be read beyond {offset} of {self.size} bytes, where it is damaged ({why})"]
        why = "its recorder was killed, or it was copied in part" if why == CUT else why
        return [f"ends unclosed after {offset} of {self.size} bytes ({why})"]

    def _left_out(self) -> list[str]:
        if not self._records:
            return []
        records = f"{self._records} damaged record{'s' if self._records > 1 else ''}"
        return [f"has {records} of {self._bytes} bytes ({self._why})"]

    def _lost(self) -> list[str]:
        written = self.summary.messages
        if written is not None and written > self.used:
            return [f"has lost {written - self.used} of its {written} messages"]
        if self.nameless:
            return [f"has lost {self.nameless} messages, because the definition of their topic is damaged"]
        return []
