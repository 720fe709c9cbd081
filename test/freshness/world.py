"""A simulated world that knows what made each frame, and a bad network: they judge the stale-frame rule.

Nothing here asks the rule: the world counts what the lens, the exposure and the light really did, in the
order in which they did it, and notes for every frame where they stood when its exposure began.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.freshness.pending import PendingCommands
from dasha_ros.freshness.rest import LensRest
from dasha_ros.freshness.state import NOWHERE, CaptureInfo, LensState

MS = 1_000_000
GHOST_MS = 2000
"""A delivered message may arrive again, at most this much later."""
STARTS_MS = 450
POSITIONS, EXPOSURES_US = (24.0, 70.0), (1.0, 10e6)
CAMERA_US = (24.0, 1e6)
"""The camera's exposure limits."""
SENDERS = ("high", "low", "server")


@dataclass
class Truth:
    """What really made a frame; each number counts the events of lens, camera or light."""

    begun_ns: int
    exposure: int
    lens: int
    light: int
    lens_rested: bool
    capture: CaptureInfo | None = None


@dataclass
class Told:
    """A command and its effect."""

    id: CommandId
    sent_ns: int
    light: int
    became: int = -1
    """Number of the exposure or move that it caused; -1 if no driver obeyed it."""


@dataclass
class Judgement:
    """A frame that counted as fresh, and what the observer knew by then."""

    at_ns: int
    frame: Truth
    exposures: list[Told | int]
    moves: list[Told | int]


@dataclass
class World:
    """Camera, lens, light, their drivers, senders of commands and an observer."""

    draw: random.Random
    now_ns: int = 10**9
    frames: list[Truth] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    told: dict[CommandId, Told] = field(default_factory=dict)
    is_calm: bool = False

    def __post_init__(self) -> None:
        self._order, self._due = itertools.count(), []  # type: ignore[var-annotated]
        self._exposures, self._moves, self._names = itertools.count(1), itertools.count(1), itertools.count(1)
        self.steady = ManualClock(self.now_ns)
        self.exposure = self.lens = self.light = 0
        self.rests_at_ns = 0
        self._sequences = dict.fromkeys(SENDERS, 0)
        self.pending = PendingCommands(POSITIONS, EXPOSURES_US)
        self.pending.limit_exposures(*CAMERA_US)
        self.numbers: dict[tuple[str, int], int] = {}
        """The move of the lens that a driver means by one of its own numbers."""
        self.heard_exposures: list[Told | int] = []
        self.heard_moves: list[Told | int] = []
        self.kept: list[Truth] = []
        self.camera_name = ""
        self.start_lens()
        self.start_camera()

    # Time, and a network.

    def after(self, delay_ns: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now_ns + max(0, delay_ns), next(self._order), what))

    def pass_time(self, duration_ns: int) -> None:
        end_ns = self.now_ns + duration_ns
        while self._due and self._due[0][0] <= end_ns:
            at_ns, _, what = heapq.heappop(self._due)
            self.steady.advance(at_ns - self.now_ns)
            self.now_ns = max(self.now_ns, at_ns)
            what()
        self.steady.advance(end_ns - self.now_ns)
        self.now_ns = end_ns

    def send(self, deliver: Callable[[], None], *, longest_ms: int, may_be_lost: bool = True) -> None:
        """Deliver late, out of order, never, or twice."""
        if self.is_calm:
            self.after(self.draw.randrange(5 * MS), deliver)
            return
        if may_be_lost and self.draw.random() < 0.15:
            return
        delay_ns = self.draw.randrange(longest_ms * MS)
        self.after(delay_ns, deliver)
        if self.draw.random() < 0.2:
            self.after(delay_ns + self.draw.randrange(GHOST_MS * MS), deliver)

    def stamp(self) -> int:
        """A wall clock that people set: any time."""
        return self.now_ns + self.draw.choice((0, -30, 30)) * 10**9

    # The lens and its driver.

    def kill(self, start: Callable[[], None]) -> None:
        """A driver dies and is restarted, which takes longer than any message."""
        if not (self.lens_name if start == self.start_lens else self.camera_name):
            return
        if start == self.start_lens:
            self.lens_name = ""
        else:
            self.camera_name = ""
        self.after(self.draw.randrange(STARTS_MS, 3 * STARTS_MS) * MS, start)

    def start_lens(self) -> None:
        """A restarted driver, which finds the lens at any position."""
        self.lens_name, self.lens_gate = f"lens#{next(self._names)}", CommandGate("lens", "V", *POSITIONS)
        self.said = self.move_count = 0
        self.lens_command, self.faults = NO_COMMAND, ()  # type: ignore[var-annotated]
        self._go(0)

    def _go(self, settle_ns: int) -> None:
        self.lens, self.rests_at_ns = next(self._moves), self.now_ns + settle_ns
        self.move_count, self.faults = self.move_count + 1, ()
        name, move = self.lens_name, self.move_count
        self.numbers[name, move] = self.lens
        self.say()

        def settled() -> None:
            if (self.lens_name, self.move_count) == (name, move) and not self.faults:
                self.say()

        self.after(settle_ns, settled)

    def say(self) -> None:
        if not self.lens_name:
            return
        self.said += 1
        left_ns = self.rests_at_ns - self.now_ns
        state = LensState(
            command=self.lens_command,
            commanded_position=40.0,
            position=40.0,
            settled=left_ns <= 0 and not self.faults,
            settled_at_ns=self.stamp(),
            faults=self.faults,
            driver=self.lens_name,
            sequence=self.said,
            move=self.move_count,
            settle_s=max(0, left_ns) / 1e9,
        )
        self.last_said, number = state, self.lens
        camera = self.camera_name

        def camera_hears(said: LensState) -> None:
            # A driver that was started since then gets the latched message instead.
            if camera == self.camera_name:
                self.camera_hears(said)

        for hear in (camera_hears, lambda said: self.observer_hears_lens(said, number)):
            self.send(self._latched(hear, state), longest_ms=200, may_be_lost=False)

    def _latched(self, hear: Callable[[LensState], None], state: LensState) -> Callable[[], None]:
        """The newest message arrives; an older one may be overwritten on the way."""
        arrives: bool | None = None

        def deliver() -> None:
            nonlocal arrives
            if arrives is None:
                is_newest = (state.driver, state.sequence) == (self.lens_name, self.said)
                arrives = is_newest or self.draw.random() < 0.5
            if arrives:
                hear(state)

        return deliver

    def command_lens(self, told: Told, position: float) -> None:
        """A command reached the lens driver."""
        if self.lens_name and self.lens_gate.admit(position, told.id):
            self.lens_command = told.id
            self._go(self.draw.choice((0, 20, 200)) * MS)
            told.became = self.lens

    def break_lens(self) -> None:
        """The lens loses its power, and is at an unknown position until it is opened again."""
        if not self.lens_name or self.faults:
            return
        self.lens, self.faults, self.rests_at_ns = next(self._moves), ("gone",), self.now_ns + 10**15
        self.say()
        name = self.lens_name

        def again() -> None:
            if self.lens_name == name and self.faults:
                self._go(50 * MS)

        self.after(self.draw.randrange(300) * MS, again)

    # The camera and its driver.

    def start_camera(self) -> None:
        """A restarted driver, which exposes as at its start."""
        self.camera_name, self.camera_gate = f"camera#{next(self._names)}", CommandGate("e", "us", *CAMERA_US)
        self.exposure, self.exposure_command, self.exposure_us = next(self._exposures), NO_COMMAND, 10_000.0
        self.taken, self.rest, self.is_new = 0, LensRest(self.steady), True
        self.after(MS, lambda: self.camera_hears(self.last_said))
        self.expose()

    def camera_hears(self, state: LensState) -> None:
        if self.rest.hear(state):
            self.expose()

    def command_exposure(self, told: Told, exposure_us: float) -> None:
        """A command reached the camera driver."""
        if self.camera_name and self.camera_gate.admit(exposure_us, told.id):
            self.exposure, self.exposure_command, self.exposure_us = (
                next(self._exposures),
                told.id,
                exposure_us,
            )
            told.became, self.is_new = self.exposure, True
            self.expose()

    def expose(self, waits: bool = True) -> None:
        """Take a picture when the lens rests or, like a streaming camera, at once."""
        name, number = self.camera_name, self.exposure
        if not name:
            return
        wait_ns = self.rest.rest_ns - self.now_ns if waits else 0

        def begin() -> None:
            if (self.camera_name, self.exposure) != (name, number):
                return
            frame = Truth(self.now_ns, number, self.lens, self.light, self.rests_at_ns <= self.now_ns)
            self.after(round(self.exposure_us * 1e3), lambda: end(frame))

        def end(frame: Truth) -> None:
            if (self.camera_name, self.exposure) != (name, number):
                return
            frame.capture = CaptureInfo(
                stamp_ns=self.stamp(),
                exposure_us=self.exposure_us,
                gain_db=0.0,
                exposure_command=self.exposure_command,
                sequence=self.taken,
                driver=name,
                lens=self.rest.position_at(frame.begun_ns),
            )
            self.taken += 1
            self.frames.append(frame)
            # The active settings come on a reliable topic.
            self.send(lambda: self.observer_hears_frame(frame), longest_ms=400, may_be_lost=not self.is_new)
            self.is_new = False

        self.after(wait_ns, begin)

    # The senders of commands.

    def command(self, sender: str, which: str, value: float) -> Told:
        self._sequences[sender] += 1
        told = Told(CommandId(sender, self._sequences[sender]), self.now_ns, self.light)
        self.told[told.id] = told
        obey: Any = self.command_lens if which == "lens" else self.command_exposure
        name = self.lens_name if which == "lens" else self.camera_name

        def reach() -> None:
            # The one that was started since then has not heard of it.
            if name and name in (self.lens_name, self.camera_name):
                obey(told, value)

        self.send(reach, longest_ms=150)
        self.send(lambda: self.observer_hears_command(told, which, value), longest_ms=150)
        return told

    # The observer that judges frames.

    def observer_hears_command(self, told: Told, which: str, value: float) -> None:
        if which == "lens":
            self.pending.lens_sent(value, told.id, self.now_ns)
            self.heard_moves.append(told)
        else:
            self.pending.exposure_sent(value, told.id, self.now_ns)
            self.heard_exposures.append(told)
        self.judge()

    def observer_hears_lens(self, state: LensState, number: int) -> None:
        self.pending.lens_reported(state, self.now_ns)
        self.heard_moves.append(number)
        self.judge()

    def observer_hears_frame(self, frame: Truth) -> None:
        assert frame.capture is not None
        self.pending.captured(frame.capture, self.now_ns)
        self.heard_exposures.append(frame.exposure)
        shown = frame.capture.lens
        if shown != NOWHERE:
            self.heard_moves.append(self.numbers[shown.driver, shown.move])
        self.kept = [*self.kept[-7:], frame]
        self.judge()

    def judge(self) -> None:
        """Judge all available frames, including late ones."""
        for frame in self.kept:
            assert frame.capture is not None
            if self.pending.is_fresh(frame.capture, self.now_ns):
                self.judgements.append(
                    Judgement(self.now_ns, frame, list(self.heard_exposures), list(self.heard_moves))
                )
