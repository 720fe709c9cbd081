"""The controls of the emulated webcam, as UVC numbers them, and what they do when a frame begins.

A control is read back at once. The picture follows a number of frames later, for the exposure and for the
focus each its own, as on real webcams.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.optics.actuator import LensActuator

CAMERA_TERMINAL, PROCESSING_UNIT = 1, 2
"""UVC entities."""


@dataclass(frozen=True, slots=True)
class UvcControl:
    """One control of UVC 1.1."""

    name: str
    entity: int
    selector: int
    """Tables A-12 and A-13 of the UVC 1.1 specification."""
    bit: int
    """Its bit in the entity's ``bmControls``."""
    size: int
    """Bytes."""
    minimum: int
    maximum: int
    step: int
    default: int

    def accepts(self, value: int) -> bool:
        """Whether the device takes a value."""
        if self.name == "auto_exposure":
            return value in (1, 8)  # a bit each: manual, and aperture priority
        return self.minimum <= value <= self.maximum


AUTO_EXPOSURE_MANUAL = 1
CONTROLS = (
    UvcControl("auto_exposure", CAMERA_TERMINAL, 0x02, 1, 1, 1, 8, 9, 8),
    UvcControl("exposure_time", CAMERA_TERMINAL, 0x04, 3, 4, 1, 5_000, 1, 156),
    UvcControl("focus", CAMERA_TERMINAL, 0x06, 5, 2, 0, 250, 5, 0),
    UvcControl("auto_focus", CAMERA_TERMINAL, 0x08, 17, 1, 0, 1, 1, 1),
    UvcControl("gain", PROCESSING_UNIT, 0x04, 9, 2, 16, 255, 1, 16),
    UvcControl("power_line", PROCESSING_UNIT, 0x05, 10, 1, 0, 2, 1, 1),
    UvcControl("auto_white_balance", PROCESSING_UNIT, 0x0B, 12, 1, 0, 1, 1, 1),
)
"""Exposure counts 100 us, focus in steps of 5, gain in sixteenths."""
BY_NAME = {control.name: control for control in CONTROLS}
FOCUS_CONTROLS = ("focus", "auto_focus")
GAIN_ONE = BY_NAME["gain"].minimum


@dataclass(frozen=True, slots=True)
class Shown:
    """What makes the picture of one frame."""

    exposure_us: float
    gain: float
    """A factor."""
    focus_dioptres: float


class _Delayed:
    """A value that takes effect a number of frames after it was set."""

    def __init__(self, value: int) -> None:
        self._value = value
        self._due: deque[tuple[int, int]] = deque()

    def set(self, value: int, due_frame: int) -> None:
        self._due.append((due_frame, value))

    def at(self, frame: int) -> int:
        while self._due and self._due[0][0] <= frame:
            self._value = self._due.popleft()[1]
        return self._value


@dataclass
class WebcamKnobs:
    """How the emulated webcam behaves; may be changed while it runs."""

    exposure_lag: int = 2
    """Frames that begin after a command and still show the old exposure."""
    focus_lag: int = 2
    """The same for the focus, before the lens begins to move."""
    focus_time_constant_s: float = 0.05
    """Time constant of the lens's travel [s]."""
    focus_play: float = 2.5
    """Half width of the play [steps]."""
    refuse: set[str] = field(default_factory=set)
    """Names of controls that the device refuses to set."""


class ControlStates:
    """The values of the controls, and what each frame shows of them. Safe for threads."""

    def __init__(self, knobs: WebcamKnobs, *, has_focus: bool = True) -> None:
        """Power comes: every control has its default.

        Args:
            knobs: How it behaves.
            has_focus: Whether it has a focus motor.
        """
        self.knobs = knobs
        self.controls = tuple(c for c in CONTROLS if has_focus or c.name not in FOCUS_CONTROLS)
        self._lock = threading.Lock()
        self._values = {control.name: control.default for control in self.controls}
        self._exposure = _Delayed(self._values["exposure_time"])
        self._gain = _Delayed(self._values["gain"])
        self._focus = _Delayed(self._values.get("focus", 0))
        self._frames = 0
        self._actuator: LensActuator | None = None

    def get(self, name: str) -> int:
        """Read a control back."""
        with self._lock:
            return self._values[name]

    def set(self, name: str, value: int) -> bool:
        """Set a control; returns whether the device takes it."""
        control = BY_NAME[name]
        with self._lock:
            if name not in self._values or name in self.knobs.refuse or not control.accepts(value):
                return False
            if self._is_automatic(name):
                return False
            if name == "focus":
                value = control.minimum + round((value - control.minimum) / control.step) * control.step
                self._focus.set(value, self._frames + self.knobs.focus_lag)
            elif name in ("exposure_time", "gain"):
                delayed = self._exposure if name == "exposure_time" else self._gain
                delayed.set(value, self._frames + self.knobs.exposure_lag)
            self._values[name] = value
            return True

    def _is_automatic(self, name: str) -> bool:
        """Whether an automatic function has the control: then nobody else may set it."""
        if name == "exposure_time":
            return self._values["auto_exposure"] != AUTO_EXPOSURE_MANUAL
        return name == "focus" and self._values["auto_focus"] != 0

    def begin_frame(self, now_ns: int) -> Shown:
        """A frame begins; returns what makes its picture."""
        with self._lock:
            frame, self._frames = self._frames, self._frames + 1
            position = float(self._focus.at(frame))
            if self._actuator is None:
                self._actuator = LensActuator(
                    WEBCAM_LENS,
                    position,
                    now_ns,
                    time_constant_s=self.knobs.focus_time_constant_s,
                    hysteresis=self.knobs.focus_play,
                )
            elif position != self._actuator.position:
                self._actuator.command(position, now_ns)
            exposure_us = 100.0 * self._exposure.at(frame)
            gain = self._gain.at(frame) / GAIN_ONE
            return Shown(exposure_us, gain, self._actuator.trajectory.at(now_ns))
