"""The digital twin's lens: it follows commands as `optics.actuator` describes it."""

from __future__ import annotations

from typing import Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.lens import LensReading, LimitedLens, checked_position
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.actuator import SETTLED_DIOPTRES, LensActuator, PowerTrajectory
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model


class TwinLens(LimitedLens):
    """A lens of any profile behind its electronics, as `optics.actuator` describes it."""

    def __init__(
        self,
        clock: Clock,
        model: LensProfile | None = None,
        *,
        initial_position: float | None = None,
        delay_s: float = 0.0,
        **actuator: float,
    ) -> None:
        """Set up a lens at rest.

        Args:
            clock: Tells when a move begins.
            model: Positions to focus, and how the lens follows; the ``physical`` profile if left out.
            initial_position: Where the lens is when power comes; left out: at its least position.
            delay_s: Time a command takes to the electronics [s]; 1.9 ms over a real serial line.
            **actuator: Numbers of `LensActuator`, such as ``hysteresis=0.0``.

        Raises:
            OutOfRange: ``initial_position`` is beyond the limits.
            ValueError: Another number is impossible.
        """
        self._clock = clock
        self._model = model or lens_model()
        self._delay_ns = round(delay_s * 1e9)
        self._info = twin_lens_info(self._model)
        start = self._info.position_min if initial_position is None else initial_position
        position = checked_position(start, self._info)
        self._actuator = LensActuator(self._model, position, clock.now_ns(), **actuator)
        self._is_open = False

    @property
    def info(self) -> LensInfo:
        """As the profile has it."""
        return self._info

    @property
    def trajectory(self) -> PowerTrajectory:
        """Focus in time; for the twin's camera only."""
        return self._actuator.trajectory

    def open(self) -> LensReading:
        """Claim the lens and leave it where it is."""
        self._is_open = True
        return self.read()

    def close(self) -> None:
        """Give the lens back."""
        self._is_open = False

    def _move(self, position: float) -> LensReading:
        self._check_open()
        if self._delay_ns:
            self._clock.wait_until(self._clock.now_ns() + self._delay_ns)
        self._actuator.command(position, self._clock.now_ns())
        return LensReading(self._actuator.position, self._actuator.settle_s)

    def read(self) -> LensReading:
        """The actual position, and the time until the lens rests."""
        self._check_open()
        passed_s = (self._clock.now_ns() - self.trajectory.moved_at_ns) / 1e9
        return LensReading(self._actuator.position, max(0.0, self._actuator.settle_s - passed_s))

    def set_temperature(self, temperature_c: float) -> PowerTrajectory:
        """Let the lens drift to another temperature [deg C]; returns its trajectory."""
        return self._actuator.set_temperature(temperature_c, self._clock.now_ns())

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            "hardware_id": f"twin lens, profile {self._model.id}",
            "model": "digital twin",
            "profile": self._model.id,
        }

    def _check_open(self) -> None:
        if not self._is_open:
            raise DeviceLost("the twin's lens is not open")


def twin_lens_info(profile: LensProfile) -> LensInfo:
    """The `LensInfo` of a twin; settling is that of a move over the whole range."""
    focus = [dioptres for _, dioptres in profile.map_points]
    whole = PowerTrajectory(0, focus[0], focus[-1], profile.drive.time_constant_s)
    return LensInfo.of(profile, settle_s=whole.settle_s(SETTLED_DIOPTRES))
