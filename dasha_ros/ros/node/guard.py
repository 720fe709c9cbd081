"""Where exceptions of callbacks end: they are logged, counted and shown, and the node goes on."""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from dasha_ros.system.text import sendable

_KINDS_KEPT = 200
"""Most kinds of errors that are counted separately; a program has fewer places that can fail."""


class Guard:
    """Handles exceptions that nothing else caught. Callable from any thread.

    It logs the first error of each kind with its traceback, and then the 10th, 100th, ...: a flood of
    messages must not fill the disk. A kind is a type of error at a line of code.
    """

    def __init__(self, logger: Any, on_error: Callable[[str, bool], None] = lambda *_: None) -> None:
        """Handle errors.

        Args:
            logger: The node's logger.
            on_error: Called with a sentence for each error, and whether it is the first of its kind.
        """
        self._logger, self._on_error = logger, on_error
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str, int | None]] = Counter()

    def caught(self, where: str, error: BaseException) -> None:
        """Log and count an error that a callback raised.

        Args:
            where: What the callback served, such as ``topic /dasha/twin/world``.
            error: What it raised.
        """
        # The log takes texts only, and names of files need not be any.
        sentence = sendable(f"internal error at {where}: {type(error).__name__}: {error}")
        last = (traceback.extract_tb(error.__traceback__) or [None])[-1]
        kind = (type(error).__name__, last.filename if last else where, last.lineno if last else None)
        with self._lock:
            if kind not in self._seen and len(self._seen) >= _KINDS_KEPT:
                kind = ("more", "", None)
            self._seen[kind] += 1
            times = self._seen[kind]
        if times == 1:
            lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-8)
            self._logger.error(f"{sentence}; the node goes on\n{sendable(''.join(lines).rstrip())}")
        elif str(times).rstrip("0") == "1":
            self._logger.error(f"{sentence} ({times} times so far)")
        self._on_error(sentence, times == 1)


def guard_of(node: Node) -> Guard:
    """A node's guard; for a node without one, a new guard that only logs."""
    guard = getattr(node, "guard", None)
    return guard if isinstance(guard, Guard) else Guard(node.get_logger())
