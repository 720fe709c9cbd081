"""Which frames are worth looking at: the stale-frame rule, kept up to date."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.gate import SENDERS_KEPT
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.speaker import Speaker
from dasha_ros.freshness.state import CaptureInfo, LensState

GRACE_NS = 1_000_000_000
"""How long a driver may take to speak of a command, beyond the exposure that the command asks for: after that
it counts as lost, or refused."""
ANY_POSITION = (-math.inf, math.inf)
"""Of a lens whose limits are not known yet."""


class PendingCommands:
    """Follows commands, lens states and captures, and says of a frame whether it answers.

    What is in force is what the newest word of each driver says. A command that was sent and of
    which its driver has not spoken yet makes every frame stale. One that its driver never speaks
    of, because it was lost or refused, does so for a while only; one that no driver accepts never.

    All times are of one steady clock [ns]. Callable from any thread.
    """

    def __init__(self, positions: tuple[float, float], exposure_us: tuple[float, float]) -> None:
        """Start with no commands.

        Args:
            positions: Least and greatest position that the lens driver accepts; `ANY_POSITION` until it has
                said so.
            exposure_us: Shortest and longest exposure that any camera driver accepts [us].
        """
        self._lens_commands = _Commands(*positions)
        self._exposure_commands = _Commands(*exposure_us)
        self._lens_speaker, self._camera_speaker = Speaker(), Speaker()
        self.lens: LensState | None = None
        """Newest state of the lens, `None` before the first."""
        self.capture: CaptureInfo | None = None
        """Newest frame, `None` before the first."""
        self._answered: object = None
        # Own commands come from the thread that sends them, other nodes' from the one that hears them.
        self._lock = threading.Lock()

    def exposure_sent(self, exposure_us: float, command: CommandId, now_ns: int) -> None:
        """An exposure command was seen on its way to the camera."""
        with self._lock:
            # The first word of it comes with its picture.
            self._exposure_commands.sent(exposure_us, command, now_ns, ns_per_unit=1e3)

    def lens_sent(self, position: float, command: CommandId, now_ns: int) -> None:
        """A lens command was seen on its way to the lens."""
        with self._lock:
            self._lens_commands.sent(position, command, now_ns)

    def limit_exposures(self, low_us: float, high_us: float) -> None:
        """The camera was opened: what it can't do [us] is a command that its driver refuses."""
        with self._lock:
            self._exposure_commands.low, self._exposure_commands.high = low_us, high_us

    def limit_positions(self, low: float, high: float) -> None:
        """The lens was heard of: a position that it can't take is a command that its driver refuses."""
        with self._lock:
            self._lens_commands.low, self._lens_commands.high = low, high

    def captured(self, capture: CaptureInfo, now_ns: int) -> bool:
        """A frame was heard of. Returns whether it is the newest."""
        with self._lock:
            if not self._camera_speaker.is_news(capture.driver, capture.sequence, now_ns):
                return False
            self.capture = capture
            self._exposure_commands.taken_up(capture.exposure_command)
            return True

    def lens_said(self, state: LensState, now_ns: int) -> bool:
        """The lens driver spoke. Returns whether that is its newest word."""
        with self._lock:
            if not self._lens_speaker.is_news(state.driver, state.sequence, now_ns):
                return False
            self.lens = state
            self._lens_commands.taken_up(state.command)
            return True

    def exposures_heard(self) -> Mapping[str, int]:
        """The last exposure command that was heard of each sender."""
        with self._lock:
            return self._exposure_commands.heard()

    def moves_heard(self) -> Mapping[str, int]:
        """The last lens command that was heard of each sender."""
        with self._lock:
            return self._lens_commands.heard()

    def exposure_came(self, command: CommandId) -> bool:
        """Whether an exposure command was heard from its sender, and not only of from the driver."""
        with self._lock:
            return self._exposure_commands.came(command)

    def move_came(self, command: CommandId) -> bool:
        """Whether a lens command was heard from its sender, and not only of from the driver."""
        with self._lock:
            return self._lens_commands.came(command)

    def is_fresh(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame answers the newest commands, and none is on its way.

        It has to show what the newest frame shows: the camera hears of some commands first. None is
        while the lens reports a fault: nobody knows then where it is.
        """
        with self._lock:
            newest, lens = self.capture, self.lens
            if newest is None or lens is None or _settings(capture) != _settings(newest):
                return False
            if not answers(newest, lens, newest.exposure_command, lens.command):
                return False
            return not self._exposure_commands.is_open(now_ns) and not self._lens_commands.is_open(now_ns)

    def is_awaited(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame is fresh and its pair of commands has had no answer yet."""
        return self.is_fresh(capture, now_ns) and _settings(capture) != self._answered

    def answered(self, capture: CaptureInfo) -> None:
        """A percept of this frame was published."""
        self._answered = _settings(capture)


class _Commands:
    """Commands to one actuator, and those of which its driver has not spoken yet."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._heard: dict[str, int] = {}
        """Greatest sequence that was heard of each sender, from itself or from the driver."""
        self._sent: dict[str, int] = {}
        """Greatest sequence that was heard from each sender itself."""
        self._taken_up: dict[str, int] = {}
        """Greatest sequence of each sender that the driver spoke of."""
        self._open: dict[str, tuple[int, int]] = {}
        """Of each sender: its newest command that the driver is silent about, and how long it may be."""

    def sent(self, value: float, command: CommandId, now_ns: int, ns_per_unit: float = 0.0) -> None:
        sender, sequence = command.sender, command.sequence
        if not sender or sequence <= 0:
            return
        _raise(self._heard, sender, sequence)
        _raise(self._sent, sender, sequence)
        # The driver may have spoken of it before it was heard of.
        newest = max(self._taken_up.get(sender, 0), self._open.get(sender, (0, 0))[0])
        if sequence > newest and math.isfinite(value) and self.low <= value <= self.high:
            self._open[sender] = sequence, now_ns + GRACE_NS + round(value * ns_per_unit)

    def taken_up(self, command: CommandId) -> None:
        sender, sequence = command.sender, command.sequence
        _raise(self._heard, sender, sequence)
        _raise(self._taken_up, sender, sequence)
        if self._open.get(sender, (sequence + 1, 0))[0] <= sequence:
            del self._open[sender]

    def is_open(self, now_ns: int) -> bool:
        self._open = {sender: last for sender, last in self._open.items() if last[1] > now_ns}
        return bool(self._open)

    def came(self, command: CommandId) -> bool:
        return self._sent.get(command.sender, 0) >= command.sequence

    def heard(self) -> Mapping[str, int]:
        return dict(self._heard)


def _raise(counts: dict[str, int], sender: str, sequence: int) -> None:
    """Note a sequence, and put its sender last: those of long ago are forgotten."""
    counts[sender] = max(counts.pop(sender, 0), sequence)
    while len(counts) > SENDERS_KEPT:
        del counts[next(iter(counts))]


def _settings(capture: CaptureInfo) -> object:
    return capture.driver, capture.exposure_command, capture.lens
