"""Which frames are worth looking at: the stale-frame rule, kept up to date."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from dasha_ros.timing.command import NO_COMMAND, CommandId
from dasha_ros.timing.gate import CommandGate
from dasha_ros.timing.rule import answers
from dasha_ros.timing.speaker import Speaker
from dasha_ros.timing.state import CaptureInfo, LensState

GRACE_NS = 1_000_000_000
"""How long a driver may take to speak of a command, beyond the exposure that the command asks for: after that
it counts as lost, or refused."""


class PendingCommands:
    """Follows commands, lens states and captures, and says of a frame whether it answers.

    What is in force is what the newest word of each driver says. A command that was sent and of
    which its driver has not spoken yet makes every frame stale. One that its driver never speaks
    of, because it was lost or refused, does so for a while only; one that no driver accepts never.

    All times are of one steady clock [ns]. Callable from any thread.
    """

    def __init__(self, volts: tuple[float, float], exposure_us: tuple[float, float]) -> None:
        """Start with no commands.

        Args:
            volts: Least and greatest voltage that any lens driver accepts [V].
            exposure_us: Shortest and longest exposure that any camera driver accepts [us].
        """
        self._lens_commands = _Commands(CommandGate("lens voltage", "V", *volts))
        self._exposure_commands = _Commands(CommandGate("exposure time", "us", *exposure_us))
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
            self._exposure_commands.sent(exposure_us, command, now_ns, round(max(0.0, exposure_us) * 1e3))

    def lens_sent(self, volts: float, command: CommandId, now_ns: int) -> None:
        """A lens command was seen on its way to the lens."""
        with self._lock:
            self._lens_commands.sent(volts, command, now_ns, 0)

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

    def is_fresh(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame answers the newest commands, and none is on its way.

        None does while the lens reports a fault: nobody knows then where it is.
        """
        with self._lock:
            newest, lens = self.capture, self.lens
            if newest is None or lens is None or capture.driver != newest.driver:
                return False
            if not answers(capture, lens, newest.exposure_command, lens.command):
                return False
            return not self._exposure_commands.is_open(now_ns) and not self._lens_commands.is_open(now_ns)

    def is_awaited(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether a frame is fresh and its pair of commands has had no answer yet."""
        return self.is_fresh(capture, now_ns) and _settings(capture) != self._answered

    def answered(self, capture: CaptureInfo) -> None:
        """A percept of this frame was published."""
        self._answered = _settings(capture)


class _Commands:
    """Commands to one actuator of which its driver has not spoken yet."""

    def __init__(self, gate: CommandGate) -> None:
        self._gate = gate
        self._open: dict[str, tuple[int, int]] = {}
        """Of each sender: its last command, and until when its driver may keep silent about it [ns]."""
        self._in_force = NO_COMMAND

    def sent(self, value: float, command: CommandId, now_ns: int, takes_ns: int) -> None:
        if self._gate.admit(value, command) and not self._is_taken_up(command):
            self._open[command.sender] = command.sequence, now_ns + GRACE_NS + takes_ns

    def taken_up(self, in_force: CommandId) -> None:
        self._in_force = in_force
        last = self._open.get(in_force.sender)
        if last is not None and last[0] <= in_force.sequence:
            del self._open[in_force.sender]

    def is_open(self, now_ns: int) -> bool:
        self._open = {sender: last for sender, last in self._open.items() if last[1] > now_ns}
        return bool(self._open)

    def heard(self) -> Mapping[str, int]:
        heard, in_force = dict(self._gate.newest), self._in_force
        heard[in_force.sender] = max(heard.get(in_force.sender, 0), in_force.sequence)
        return heard

    def _is_taken_up(self, command: CommandId) -> bool:
        """Whether the driver spoke of it first, and the command itself came late."""
        return command.sender == self._in_force.sender and command.sequence <= self._in_force.sequence


def _settings(capture: CaptureInfo) -> object:
    return capture.driver, capture.exposure_command, capture.lens
