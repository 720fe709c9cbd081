"""Which of several messages of a driver is the newest, through its restarts."""

from __future__ import annotations

LATE_NS = 3_000_000_000
"""What one process said arrives at most this long after what the next one said. Whoever goes on speaking
longer lives: two drivers share a name, or somebody else spoke in the driver's name."""
_KEPT = 16


class Speaker:
    """Follows the process that speaks for a driver: its newest word is that of the greatest sequence.

    A process that was never heard before takes over with its first word. What comes late from
    the one before is no news.
    """

    def __init__(self) -> None:
        self.driver = ""
        """Instance that speaks now, empty before the first word."""
        self.sequence = -1
        self._retired: dict[str, tuple[int, int]] = {}
        """Of instances that were followed by another: since when [ns], and their last sequence."""

    def is_news(self, driver: str, sequence: int, now_ns: int) -> bool:
        """Whether this is the newest word so far; it is remembered then.

        Args:
            driver: Instance that says so.
            sequence: Its count.
            now_ns: On a steady clock.
        """
        if driver == self.driver:
            if sequence <= self.sequence:
                return False
        else:
            since_ns, last = self._retired.get(driver, (now_ns - LATE_NS, -1))
            if now_ns - since_ns < LATE_NS or sequence <= last:
                return False
            self._retired.pop(driver, None)
            if self.driver:
                self._retired[self.driver] = now_ns, self.sequence
            while len(self._retired) > _KEPT:
                del self._retired[next(iter(self._retired))]
        self.driver, self.sequence = driver, sequence
        return True
