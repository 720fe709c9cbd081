"""The lens of a webcam: the focus motor of the device that is also the camera.

The kernel lets several processes set controls, and one stream, so the lens driver opens the device beside the
camera driver.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import ASSUMED_FRAMES, SLOWEST_S
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.devices.v4l2.controls import EXPOSURE_UNIT_US, Control, ControlId, need_range
from dasha_ros.devices.v4l2.device import Webcam, WebcamAccess
from dasha_ros.devices.v4l2.port import WebcamPort
from dasha_ros.freshness.clock import Clock, SteadyClock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo

UNIT = "steps"


class WebcamLens(LimitedLens):
    """A `Lens` whose positions are the steps of ``focus_absolute``.

    Automatic focus is off while the lens is open. A webcam does not tell when its lens has arrived, so a move
    settles after the measured lag: from then on, no frame that begins shows the lens on its way.
    """

    def __init__(
        self,
        address: str = "",
        latency: str = "",
        clock: Clock | None = None,
        profile: LensProfile | None = None,
        access: WebcamAccess | None = None,
        *,
        leave_there: bool = False,
    ) -> None:
        """Not opened yet.

        Args:
            address: Serial number, bus path, name, or a path; empty: the only webcam.
            latency: File of the measured lag; empty: the one of this model.
            clock: On which moves settle.
            profile: The measured map of this lens; ``None``: it has none.
            access: How to get at the device.
            leave_there: Whether automatic focus stays off after `close`, so that the lens stays where it is.

        Raises:
            ValueError: The profile's positions are no steps.
        """
        if profile is not None and profile.unit != UNIT:
            raise ValueError(
                f"the profile {profile.name} is in {profile.unit}, and a webcam's lens takes {UNIT}"
            )
        self._profile, self._leave_there = profile, leave_there
        self._clock = clock or SteadyClock()
        self._webcam = Webcam("lens", address, latency, access)
        self._info: LensInfo | None = None
        self._focus: Control | None = None
        self._wanted: int | None = None
        """The last commanded position, which `open` restores."""
        self._rest_ns = 0
        self._rested_at: int | None = None
        """What the device said when the last move had settled; `None`: it has not, or nobody asked."""

    @property
    def info(self) -> LensInfo:
        """Steps, from and to where the device says, and the profile's map if there is one."""
        if self._info is None:
            raise DeviceLost(f"{self._webcam.name} was not opened yet: its limits are not known")
        return self._info

    def open(self) -> LensReading:
        """Claim the lens, switch automatic focus off, and read where it left the lens.

        Raises:
            DeviceLost: No such webcam, it has no focus motor, or another process moves it.
        """
        self.close()
        webcam = self._webcam
        port = webcam.open()
        try:
            if ControlId.FOCUS_ABSOLUTE not in webcam.controls:
                raise DeviceLost(
                    f"{webcam.name} has no focus motor (no control focus_absolute): only its exposure can be"
                    " set. Send goals to A^H alone, the action adjust_exposure, or choose another webcam"
                )
            focus = need_range(webcam.controls, ControlId.FOCUS_ABSOLUTE, webcam.name)
            info = self._described(focus, port)
            if (auto := webcam.controls.get(ControlId.FOCUS_AUTOMATIC_CONTINUOUS)) is not None:
                if self._leave_there:
                    port.set(auto, 0)
                else:
                    webcam.take(auto, 0)
            self._focus, self._info = focus, info
            if self._wanted is not None and port.get(focus) != self._wanted:
                port.set(focus, self._wanted)
            self._moved(port)
            return self.read()
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost):
                raise
            raise DeviceLost(f"{error}; its lens can't be used without") from error

    def close(self) -> None:
        """Give automatic focus back, and then the device."""
        self._webcam.close()
        self._focus = None

    def _move(self, position: float) -> LensReading:
        port, focus = self._opened()
        value = focus.nearest(position)
        port.set(focus, value)
        self._wanted = value
        self._moved(port)
        return self.read()

    def read(self) -> LensReading:
        """The position in force, the time until the picture shows it, and whether somebody else moved it."""
        port, focus = self._opened()
        left_s = max(0.0, (self._rest_ns - self._clock.now_ns()) / 1e9)
        value = port.get(focus)
        if self._rested_at is None and left_s == 0.0:
            self._rested_at = value
        rested_at = value if self._rested_at is None else self._rested_at
        moved = f"another program moved the lens from {rested_at} to {value} {UNIT}; the next move mends it"
        return LensReading(float(value), left_s, () if value == rested_at else (moved,))

    def describe(self) -> dict[str, Any]:
        """Model, node, position and the assumed lag."""
        return self._webcam.describe() | {
            "port": str(self._webcam.found.node) if self._webcam.found else "",
            "unit": UNIT,
            "position_in_force": self._wanted,
        }

    def _opened(self) -> tuple[WebcamPort, Control]:
        port = self._webcam.opened()
        assert self._focus is not None
        return port, self._focus

    def _moved(self, port: WebcamPort) -> None:
        self._rested_at = None
        self._rest_ns = self._clock.now_ns() + round(self._settle_s(port) * 1e9)

    def _settle_s(self, port: WebcamPort) -> float:
        """How long no frame may begin that shows the lens where it is told to go [s].

        The measured lag counts the frames that arrive after a command, the one that is under way included.
        After as many times of a frame, they have all arrived. So a frame that is stamped later is none of
        them, and its exposure began by one exposure earlier at most.
        """
        frames = self._webcam.latency.focus_frames
        exposure = self._webcam.controls.get(ControlId.EXPOSURE_TIME_ABSOLUTE)
        exposure_s = port.get(exposure) * EXPOSURE_UNIT_US / 1e6 if exposure is not None else 0.0
        # A longer exposure than the time between two frames slows the stream down.
        frame_s = max(port.frame_s() or SLOWEST_S, self._webcam.latency.frame_s, exposure_s)
        return max(0.0, (ASSUMED_FRAMES if frames is None else frames) * frame_s - exposure_s)

    def _described(self, focus: Control, port: WebcamPort) -> LensInfo:
        low, high = float(focus.minimum), float(focus.greatest)
        settle_s = self._settle_s(port)
        profile = self._profile
        if profile is None:
            return LensInfo(UNIT, low, high, resolution=float(focus.step), settle_s=settle_s)
        if profile.position_min != low or profile.position_max != high:
            raise DeviceLost(
                f"the profile {profile.name} is of a lens from {profile.position_min:g} to "
                f"{profile.position_max:g} {UNIT}, and {self._webcam.name} goes from {low:g} to {high:g}:"
                " give this webcam's own profile"
            )
        described = LensInfo.of(profile, limits=(low, high), settle_s=settle_s)
        return replace(described, resolution=float(focus.step))
