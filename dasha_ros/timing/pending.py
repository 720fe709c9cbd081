"""Which frames are worth looking at: the stale-frame rule, kept up to date."""

from __future__ import annotations

from dasha_ros.timing.rule import answers
from dasha_ros.timing.state import CaptureInfo, LensState

GRACE_NS = 1_000_000_000
"""How long a command may go unacknowledged before it counts as refused by its driver."""


class PendingCommands:
    """Follows commands, lens states and captures, and says of a frame whether it answers.

    A command that was sent but not yet taken up by its driver makes every frame
    stale; one that its driver refused must not do so for ever, hence `GRACE_NS`.
    """

    def __init__(self) -> None:
        self.lens: LensState | None = None
        """Newest state of the lens, `None` before the first."""
        self._sent: dict[str, tuple[int, int]] = {"exposure": (0, 0), "lens": (0, 0)}
        self._answered: tuple[int, int] | None = None

    def exposure_sent(self, command_ns: int, now_ns: int) -> None:
        """An exposure command was seen on its way to the camera."""
        self._note("exposure", command_ns, now_ns)

    def lens_sent(self, command_ns: int, now_ns: int) -> None:
        """A lens command was seen on its way to the lens."""
        self._note("lens", command_ns, now_ns)

    def _note(self, actuator: str, command_ns: int, now_ns: int) -> None:
        if command_ns > self._sent[actuator][0]:
            self._sent[actuator] = (command_ns, now_ns)

    def _expected(self, actuator: str, in_force_ns: int, now_ns: int) -> int:
        sent_ns, seen_ns = self._sent[actuator]
        waits = sent_ns > in_force_ns and now_ns - seen_ns < GRACE_NS
        return sent_ns if waits else in_force_ns

    def is_fresh(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame answers the newest commands, and none is on its way."""
        if self.lens is None:
            return False
        return answers(
            capture,
            self.lens,
            self._expected("exposure", capture.exposure_command_ns, now_ns),
            self._expected("lens", self.lens.command_ns, now_ns),
        )

    def is_awaited(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame is fresh and its pair of commands has had no answer yet."""
        return self.is_fresh(capture, now_ns) and self._pair(capture) != self._answered

    def answered(self, capture: CaptureInfo) -> None:
        """A percept of this frame was published."""
        self._answered = self._pair(capture)

    def _pair(self, capture: CaptureInfo) -> tuple[int, int]:
        return capture.exposure_command_ns, self.lens.command_ns if self.lens else 0
