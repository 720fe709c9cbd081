"""Which frames are worth looking at: the stale-frame rule, kept up to date."""

from __future__ import annotations

import threading

from dasha_ros.timing.gate import CommandGate
from dasha_ros.timing.rule import answers
from dasha_ros.timing.state import CaptureInfo, LensState

GRACE_NS = 1_000_000_000
"""How long a command may go unacknowledged before it counts as refused by its driver."""


class PendingCommands:
    """Follows commands, lens states and captures, and says of a frame whether it answers.

    A command that was sent but not yet taken up by its driver makes every frame
    stale. One that its driver will refuse must not: what no driver accepts is left
    out at once, and what this driver refused counts no longer than `GRACE_NS`.
    """

    def __init__(self, volts: tuple[float, float], exposure_us: tuple[float, float]) -> None:
        """Start with no commands.

        Args:
            volts: Least and greatest voltage that any lens driver accepts [V].
            exposure_us: Shortest and longest exposure that any camera driver accepts [us].
        """
        self._lens_gate = CommandGate("lens voltage", "V", *volts)
        self._exposure_gate = CommandGate("exposure time", "us", *exposure_us)
        self.lens: LensState | None = None
        """Newest state of the lens, `None` before the first."""
        self._exposure_seen_ns = self._lens_seen_ns = 0
        self._answered: tuple[int, int] | None = None
        # Own commands come from the thread that sends them, other nodes' from the one that hears them.
        self._lock = threading.Lock()

    def exposure_sent(self, exposure_us: float, command_ns: int, now_ns: int) -> None:
        """An exposure command was seen on its way to the camera."""
        with self._lock:
            if self._exposure_gate.admit(exposure_us, command_ns, now_ns):
                self._exposure_seen_ns = now_ns

    def lens_sent(self, volts: float, command_ns: int, now_ns: int) -> None:
        """A lens command was seen on its way to the lens."""
        with self._lock:
            if self._lens_gate.admit(volts, command_ns, now_ns):
                self._lens_seen_ns = now_ns

    def is_fresh(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame answers the newest commands, and none is on its way.

        None does while the lens reports a fault: nobody knows then where it is.
        """
        if self.lens is None or self.lens.faults:
            return False
        return answers(
            capture,
            self.lens,
            _expected(
                self._exposure_gate.newest_ns, self._exposure_seen_ns, capture.exposure_command_ns, now_ns
            ),
            _expected(self._lens_gate.newest_ns, self._lens_seen_ns, self.lens.command_ns, now_ns),
        )

    def is_awaited(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame is fresh and its pair of commands has had no answer yet."""
        return self.is_fresh(capture, now_ns) and self._pair(capture) != self._answered

    def answered(self, capture: CaptureInfo) -> None:
        """A percept of this frame was published."""
        self._answered = self._pair(capture)

    def _pair(self, capture: CaptureInfo) -> tuple[int, int]:
        return capture.exposure_command_ns, self.lens.command_ns if self.lens else 0


def _expected(sent_ns: int, seen_ns: int, in_force_ns: int, now_ns: int) -> int:
    """The command that a frame has to answer: the one on its way, if there is one."""
    return sent_ns if sent_ns > in_force_ns and now_ns - seen_ns < GRACE_NS else in_force_ns
