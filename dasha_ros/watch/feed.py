"""What the pages show: the newest picture, the rows of the curves, and facts such as the state."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KEPT_ROWS = 600
"""Rows that a page gets when it opens: a minute of steps, or ten of an idle graph."""


@dataclass(frozen=True, slots=True)
class Update:
    """What a page does not have yet."""

    text: str
    """A JSON object with ``rows`` and ``facts``; empty: nothing new."""
    picture: bytes
    """The newest picture (JPEG); empty: no new one."""
    seen: int
    """What to ask with the next time."""


class Feed:
    """Keeps the newest of everything, each encoded once for all pages. Callable from any thread.

    Everything that is added gets the next number, so a page only remembers the number up to which it has
    seen everything. A slow page misses pictures and, after `KEPT_ROWS` of them, rows; nothing waits for it.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        """Start empty; ``on_change`` is called after each change, in the thread that made it."""
        self.on_change = on_change
        self._lock = threading.Lock()
        self._count = 0
        self._rows: deque[tuple[int, str]] = deque(maxlen=KEPT_ROWS)
        self._facts: dict[str, tuple[int, str]] = {}
        self._picture = (0, b"")
        self._last = (-1, -1, "")
        """The last text that was put together, and for which numbers: pages often ask for the same."""

    def row(self, **values: float | str) -> None:
        """Add a row; ``t`` is its time [s since 1970]. Numbers that are not finite become ``null``."""
        text = _encoded(values)
        with self._lock:
            self._count += 1
            self._rows.append((self._count, text))
        self.on_change()

    def fact(self, name: str, value: Any) -> None:
        """Set a fact; nothing happens if it has this value already."""
        text = _encoded(value)
        with self._lock:
            if self._facts.get(name, (0, ""))[1] == text:
                return
            self._count += 1
            self._facts[name] = self._count, text
        self.on_change()

    def picture(self, jpeg: bytes) -> None:
        """Set the newest picture."""
        with self._lock:
            self._count += 1
            self._picture = self._count, jpeg
        self.on_change()

    def forget(self, *facts: str) -> None:
        """Remove rows, picture and these facts: nobody looked for a while, and they are old."""
        with self._lock:
            self._rows.clear()
            self._picture = 0, b""
            for name in facts:
                self._facts.pop(name, None)
            self._last = (-1, -1, "")

    def since(self, seen: int) -> Update:
        """What is newer than a page's number; 0: everything."""
        with self._lock:
            number, picture = self._picture
            return Update(self._text(seen), picture if number > seen else b"", self._count)

    def _text(self, seen: int) -> str:
        if self._last[:2] == (seen, self._count):
            return self._last[2]
        rows = ",".join(text for number, text in self._rows if number > seen)
        facts = ",".join(
            f"{json.dumps(name)}:{text}" for name, (number, text) in self._facts.items() if number > seen
        )
        text = f'{{"rows":[{rows}],"facts":{{{facts}}}}}' if rows or facts else ""
        self._last = seen, self._count, text
        return text


def _encoded(value: Any) -> str:
    return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """A value that JSON can hold: it has no NaN and no infinity."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) and abs(value) < 1e9 else _large(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def _large(value: float) -> float | None:
    """Times have ten digits before the point, so they are not rounded to six."""
    return round(value, 3) if math.isfinite(value) else None
