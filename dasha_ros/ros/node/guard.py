"""What callbacks raise ends here: it is told, counted and shown, and the node lives."""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

_KINDS_KEPT = 200
"""Kinds of errors that are told apart; a program has fewer places that can fail."""


class Guard:
    """Takes in exceptions that nobody else caught. Callable from any thread.

    The log tells each kind once, with its traceback, and again when it has come ten times as often: what a
    flood of messages causes must not fill a disk. A kind is a type of error at a line of code.
    """

    def __init__(self, logger: Any, on_error: Callable[[str, bool], None] = lambda *_: None) -> None:
        """Take in errors.

        Args:
            logger: Of the node.
            on_error: Called with a sentence for each error, and whether it is the first of its kind.
        """
        self._logger, self._on_error = logger, on_error
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str, int | None]] = Counter()

    def caught(self, where: str, error: BaseException) -> None:
        """Tell of an error that a callback raised.

        Args:
            where: What was served, such as ``topic /dasha/twin/world``.
            error: What came out of it.
        """
        sentence = f"internal error at {where}: {type(error).__name__}: {error}"
        last = (traceback.extract_tb(error.__traceback__) or [None])[-1]
        kind = (type(error).__name__, last.filename if last else where, last.lineno if last else None)
        with self._lock:
            if kind not in self._seen and len(self._seen) >= _KINDS_KEPT:
                kind = ("more", "", None)
            self._seen[kind] += 1
            times = self._seen[kind]
        if times == 1:
            lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-8)
            self._logger.error(f"{sentence}; the node goes on\n{''.join(lines).rstrip()}")
        elif str(times).rstrip("0") == "1":
            self._logger.error(f"{sentence} ({times} times by now)")
        self._on_error(sentence, times == 1)


def guard_of(node: Node) -> Guard:
    """The guard of a node that has one; for any other node one that only logs."""
    guard = getattr(node, "guard", None)
    return guard if isinstance(guard, Guard) else Guard(node.get_logger())
