"""Decides which frames are fresh: the stale-frame rule, applied to the messages of a running graph."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.gate import SENDERS_KEPT
from dasha_ros.freshness.newest import NewestMessage
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import CaptureInfo, LensState

GRACE_NS = 1_000_000_000
"""How long a driver may take to report a command, besides the exposure that the command asks for. A later
command counts as lost or refused."""
ANY_POSITION = (-math.inf, math.inf)
"""The limits of a lens that has not reported them yet."""


class PendingCommands:
    """Follows commands, lens states and captures, and tells whether a frame answers them.

    The newest message of each driver says which settings are active. While a command is pending, that is,
    sent but not yet reported by its driver, every frame is stale. A command that its driver never reports,
    because it was lost or refused, is pending only for `GRACE_NS`. Commands that the driver will reject are
    ignored.

    All times are from one steady clock [ns]. Callable from any thread.
    """

    def __init__(self, positions: tuple[float, float], exposure_us: tuple[float, float]) -> None:
        """Start with no commands.

        Args:
            positions: Least and greatest position that the lens driver accepts; `ANY_POSITION` until it has
                reported them.
            exposure_us: Shortest and longest exposure that any camera driver accepts [us].
        """
        self._lens_commands = _Commands(*positions)
        self._exposure_commands = _Commands(*exposure_us)
        self._newest_lens, self._newest_camera = NewestMessage(), NewestMessage()
        self.lens: LensState | None = None
        """Newest state of the lens, `None` before the first."""
        self.capture: CaptureInfo | None = None
        """Newest frame, `None` before the first."""
        self._answered: object = None
        # Own commands come from the thread that sends them, others from the thread that receives them.
        self._lock = threading.Lock()

    def exposure_sent(self, exposure_us: float, command: CommandId, now_ns: int) -> None:
        """Note an exposure command that was sent to the camera."""
        with self._lock:
            # The driver reports it with its picture.
            self._exposure_commands.sent(exposure_us, command, now_ns, ns_per_unit=1e3)

    def lens_sent(self, position: float, command: CommandId, now_ns: int) -> None:
        """Note a lens command that was sent to the lens."""
        with self._lock:
            self._lens_commands.sent(position, command, now_ns)

    def limit_exposures(self, low_us: float, high_us: float) -> None:
        """Set the camera's exposure limits [us]; its driver rejects commands beyond them."""
        with self._lock:
            self._exposure_commands.low, self._exposure_commands.high = low_us, high_us

    def limit_positions(self, low: float, high: float) -> None:
        """Set the lens's limits; its driver rejects commands beyond them."""
        with self._lock:
            self._lens_commands.low, self._lens_commands.high = low, high

    def captured(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Note a frame; returns whether it is the newest."""
        with self._lock:
            if not self._newest_camera.is_newest(capture.driver, capture.sequence, now_ns):
                return False
            self.capture = capture
            self._exposure_commands.applied(capture.exposure_command)
            return True

    def lens_reported(self, state: LensState, now_ns: int) -> bool:
        """Note a state of the lens; returns whether it is the newest."""
        with self._lock:
            if not self._newest_lens.is_newest(state.driver, state.sequence, now_ns):
                return False
            self.lens = state
            self._lens_commands.applied(state.command)
            return True

    def exposures_heard(self) -> Mapping[str, int]:
        """The last known exposure command of each sender."""
        with self._lock:
            return self._exposure_commands.heard()

    def moves_heard(self) -> Mapping[str, int]:
        """The last known lens command of each sender."""
        with self._lock:
            return self._lens_commands.heard()

    def exposure_seen(self, command: CommandId) -> bool:
        """Whether an exposure command came from its sender, and not only in the driver's report."""
        with self._lock:
            return self._exposure_commands.came(command)

    def move_seen(self, command: CommandId) -> bool:
        """Whether a lens command came from its sender, and not only in the driver's report."""
        with self._lock:
            return self._lens_commands.came(command)

    def is_fresh(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame answers the newest commands, and no command is pending.

        It must have the settings of the newest frame, because the camera may know commands that this object
        does not. While the lens reports a fault, no frame is fresh, because its position is unknown.
        """
        with self._lock:
            newest, lens = self.capture, self.lens
            if newest is None or lens is None or _settings(capture) != _settings(newest):
                return False
            if not answers(newest, lens, newest.exposure_command, lens.command):
                return False
            return not self._exposure_commands.is_open(now_ns) and not self._lens_commands.is_open(now_ns)

    def is_awaited(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame is fresh, and no percept has shown its settings yet."""
        return self.is_fresh(capture, now_ns) and _settings(capture) != self._answered

    def answered(self, capture: CaptureInfo) -> None:
        """Note that a percept of this frame was published."""
        self._answered = _settings(capture)


class _Commands:
    """The commands to one actuator, and which of them are pending."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._heard: dict[str, int] = {}
        """Greatest known sequence of each sender, from itself or from the driver."""
        self._sent: dict[str, int] = {}
        """Greatest sequence that each sender itself has sent."""
        self._applied: dict[str, int] = {}
        """Greatest sequence of each sender that the driver has reported."""
        self._open: dict[str, tuple[int, int]] = {}
        """The newest pending command of each sender, and when it stops being pending."""

    def sent(self, value: float, command: CommandId, now_ns: int, ns_per_unit: float = 0.0) -> None:
        sender, sequence = command.sender, command.sequence
        if not sender or sequence <= 0:
            return
        _raise(self._heard, sender, sequence)
        _raise(self._sent, sender, sequence)
        # The driver's report may arrive before the command.
        newest = max(self._applied.get(sender, 0), self._open.get(sender, (0, 0))[0])
        if sequence > newest and math.isfinite(value) and self.low <= value <= self.high:
            self._open[sender] = sequence, now_ns + GRACE_NS + round(value * ns_per_unit)

    def applied(self, command: CommandId) -> None:
        sender, sequence = command.sender, command.sequence
        _raise(self._heard, sender, sequence)
        _raise(self._applied, sender, sequence)
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
    """Note a sequence and put its sender last; the oldest senders are forgotten."""
    counts[sender] = max(counts.pop(sender, 0), sequence)
    while len(counts) > SENDERS_KEPT:
        del counts[next(iter(counts))]


def _settings(capture: CaptureInfo) -> object:
    return capture.driver, capture.exposure_command, capture.lens
