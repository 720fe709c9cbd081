"""Camera and lens of one device between random faults, on a clock that jumps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import Any

from webcam_in_memory import told

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally
from dasha_ros.freshness.clock import ManualClock

STEPS = 30
ACTS = ("fault", "expose", "move", "capture", "capture", "reopen", "wait", "hostile")
EXPOSURES_US = (100.0, 5_000.0, 33_300.0, 120_000.0)
LONGEST_CALL_S = 20.0
"""A call that lasts longer hangs: the slowest frames here take half a second, and eight of them lag."""
FOCUS_DIOPTRES = 0.02
"""As exact as a picture tells the focus that made it."""


def promise(kept: bool, otherwise: str) -> None:
    """Check a promise.

    Raises:
        PromiseBroken: It was not kept; ``otherwise`` says what happened.
    """
    if not kept:
        raise PromiseBroken(otherwise)


class Pair(ABC):
    """Both parts as two nodes use them: after a loss they open again.

    Pictures tell what made them (`webcam_in_memory.flat_picture`).
    """

    def __init__(self, clock: ManualClock, camera: Any, lens: Any, random: Random, tally: Tally) -> None:
        self.clock, self.random, self.tally = clock, random, tally
        self.parts: dict[str, Any] = {"camera": camera, "lens": lens}
        self.open: set[str] = set()
        self.exposure_us: float | None = None
        self.position: float | None = None
        """What is in force; `None`: a command failed."""
        self.rest_ns = self.answered = 0

    @abstractmethod
    def fault(self) -> None:
        """Something goes wrong, or right again."""

    @abstractmethod
    def mend(self) -> None:
        """End all faults."""

    @abstractmethod
    def target(self) -> float:
        """A random position that the lens has."""

    @abstractmethod
    def focus(self, position: float) -> float:
        """Where the lens focuses [D]."""

    @abstractmethod
    def check_sent(self) -> None:
        """Check that nothing outside the limits reached the device."""

    @abstractmethod
    def check_given_back(self) -> None:
        """Check that the automatic functions are as they were."""

    def play(self) -> None:
        """Random events, and then a device that has to work.

        Raises:
            PromiseBroken: It does not, or broke a promise before.
        """
        self.reopen()
        for _ in range(STEPS):
            getattr(self, self.random.choice(ACTS))()
            self.check_sent()
        self.recover()
        for part in self.parts.values():
            part.close()
        self.check_given_back()

    def expose(self) -> None:
        self.exposure_us, wanted = None, self.random.choice(EXPOSURES_US)
        self.exposure_us = self.call("camera", "exposure", lambda camera: camera.set_exposure(wanted))

    def move(self) -> None:
        self.position, wanted = None, self.target()
        reading = self.call("lens", "move", lambda lens: lens.move(wanted))
        if reading is not None:
            self.position = reading.position
            self.rest_ns = self.clock.now_ns() + round(reading.settle_s * 1e9)

    def capture(self) -> None:
        # As its driver does twice a second.
        reading = self.call("lens", "read", lambda lens: lens.read()) if "lens" in self.open else None
        if reading is not None and reading.faults:
            self.position = None
        asked_ns = self.clock.now_ns()
        frame = self.call("camera", "capture", lambda camera: camera.capture(self.rest_ns))
        if frame is None:
            return
        promise(frame.begun_ns >= max(asked_ns, self.rest_ns), "a frame is older than its command")
        exposure, focus = told(frame.pixels)
        promise(frame.exposure_us == 100.0 * exposure, f"{frame.exposure_us} us was told of {exposure}00 us")
        if self.exposure_us is not None:
            promise(frame.exposure_us == self.exposure_us, f"{frame.exposure_us} us, not {self.exposure_us}")
        if self.position is not None and reading is not None:
            wanted = self.focus(self.position)
            promise(abs(focus - wanted) <= FOCUS_DIOPTRES, f"a frame shows {focus} D, not {wanted} D")
        self.answered += 1

    def reopen(self) -> None:
        for role in [role for role in self.parts if role not in self.open]:
            told_by = self.call(role, "open", lambda part: part.open())
            if told_by is None:
                continue
            self.open.add(role)
            if role == "lens":
                self.position = told_by.position
                self.rest_ns = max(self.rest_ns, self.clock.now_ns() + round(told_by.settle_s * 1e9))
            else:
                self.exposure_us = None

    def wait(self) -> None:
        self.clock.advance(self.random.randrange(500_000_000))

    def hostile(self) -> None:
        """A position that no lens has."""
        position = self.random.choice((float("nan"), float("inf"), -1e6, 1e6))
        try:
            self.parts["lens"].move(position)
        except DeviceError:
            return
        raise PromiseBroken(f"{position} was accepted")

    def recover(self) -> None:
        """The faults are over: everything must work again."""
        self.mend()
        for part in self.parts.values():
            part.close()
        self.open.clear()
        self.reopen()
        promise(self.open == set(self.parts), f"only {self.open or 'nothing'} opens after the faults")
        self.expose()
        self.move()
        before = self.answered
        self.capture()
        promise(self.answered == before + 1, "no picture answers after the faults")
        self.tally.recoveries += 1

    def call(self, role: str, name: str, call: Callable[[Any], Any]) -> Any:
        """A call that may fail with a sentence, but never hang or raise anything else."""
        begun_ns, result, outcome = self.clock.now_ns(), None, "done"
        try:
            result = call(self.parts[role])
        except DeviceError as error:
            promise("\n" not in str(error), f"not one sentence: {error}")
            outcome = "failed"
            if isinstance(error, DeviceLost):
                outcome = "lost"
                self.parts[role].close()
                self.open.discard(role)
        took_s = (self.clock.now_ns() - begun_ns) / 1e9
        promise(took_s < LONGEST_CALL_S, f"{role} {name} took {took_s:.1f} s")
        self.tally.longest_call_s = max(self.tally.longest_call_s, took_s)
        self.tally.calls[f"{role} {name} {outcome}"] += 1
        return result
