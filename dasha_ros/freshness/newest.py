"""Tells whether a driver's message is its newest, across restarts of the driver."""

from __future__ import annotations

LATE_NS = 3_000_000_000
"""Messages of a process that has been replaced arrive at most this late. A process that publishes for longer
is alive: two drivers share a name, or another node has published in the driver's name."""
_KEPT = 16


class NewestMessage:
    """Follows the process that publishes for a driver; the greatest sequence is its newest message.

    A new process takes over with its first message. Late messages of the previous process are old.
    """

    def __init__(self) -> None:
        self.driver = ""
        """The instance that publishes now, empty before the first message."""
        self.sequence = -1
        self._retired: dict[str, tuple[int, int]] = {}
        """Instances that have been replaced: when [ns], and their last sequence."""

    def is_newest(self, driver: str, sequence: int, now_ns: int) -> bool:
        """Whether this message is the newest so far; if so, it is remembered.

        Args:
            driver: The instance that sent it.
            sequence: Its running number.
            now_ns: Time on a steady clock.
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
