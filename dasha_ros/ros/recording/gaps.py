"""Counts messages of a topic that were sent and did not arrive."""

from __future__ import annotations

_LARGEST = 10_000
"""A larger step is another publisher's first number, not a gap."""


class Gaps:
    """Follows the numbers that a publisher gives its messages. A topic has one publisher at a time."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._last, self._missed = 0, 0

    def after(self, number: int) -> int:
        """Count a message.

        Args:
            number: Of the message; its publisher counts up by one. 0 and numbers beyond 64 bits: unknown.

        Returns:
            How many are missing until now.
        """
        gap = number - self._last - 1
        if self._last and 0 < gap < _LARGEST:
            self._missed += gap
        self._last = number
        return self._missed
