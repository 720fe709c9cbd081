"""What camera and lens of a webcam share: finding and opening it, its lag, what they take and give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import MARGIN_FRAMES, Latency, latency_of
from dasha_ros.devices.v4l2.automatics import TakenControls
from dasha_ros.devices.v4l2.controls import Control
from dasha_ros.devices.v4l2.discovery import WebcamFound, check_permission, chosen, list_webcams
from dasha_ros.devices.v4l2.port import WebcamPort
from dasha_ros.files.errors import FileError


def open_port(found: WebcamFound) -> WebcamPort:
    """Open a webcam through the kernel.

    Raises:
        DeviceLost: It can't be opened.
    """
    from dasha_ros.devices.v4l2.linux import LinuxWebcam

    check_permission(found)
    return LinuxWebcam(found)


@dataclass(frozen=True, slots=True)
class WebcamAccess:
    """How to get at a webcam; tests replace the kernel by one in memory."""

    find: Callable[[], list[WebcamFound]] = list_webcams
    open: Callable[[WebcamFound], WebcamPort] = open_port
    folder: Path | None = None
    """Of the notes of what was taken; ``None``: the user's."""


class Webcam:
    """One webcam in one role. After a loss it opens only the device that was lost.

    Attributes:
        found: The device; ``None`` before it was opened for the first time.
        port: The open port; ``None`` while it is closed.
        controls: The controls of the open device.
        latency: Its measured or assumed lag.
    """

    def __init__(
        self, role: str, address: str, latency_path: str = "", access: WebcamAccess | None = None
    ) -> None:
        """Not opened yet.

        Args:
            role: ``camera`` or ``lens``.
            address: See `discovery.chosen`.
            latency_path: File of the measured lag; empty: the one of this model, if there is one.
            access: How to get at the device.
        """
        self._role, self._address, self._latency_path = role, address, latency_path
        self._access = access or WebcamAccess()
        self._taken: TakenControls | None = None
        self.found: WebcamFound | None = None
        self.port: WebcamPort | None = None
        self.controls: Mapping[int, Control] = {}
        self.latency = Latency("")
        self.refused: list[str] = []
        """Controls that the device did not take back when it was closed last."""

    def open(self) -> WebcamPort:
        """Find the device, claim its role and open it.

        Raises:
            DeviceLost: It is not there, may not be opened, or another process has it.
        """
        self.close()
        found = self._find()
        try:
            self.latency = latency_of(found.model, self._latency_path)
        except FileError as error:
            raise DeviceLost(f"the lag of {found} is unknown: {error}") from error
        port = self._access.open(found)
        taken = TakenControls(found.key, self._role, self._access.folder)
        try:
            taken.begin()
            self.controls = port.controls()
        except DeviceError:
            taken.end()
            port.close()
            raise
        self.found, self.port, self._taken = found, port, taken
        return port

    def take(self, control: Control, value: int) -> None:
        """Set a control that is given back by `close`.

        Raises:
            DeviceError: The device refused.
        """
        assert self._taken is not None
        self._taken.take(self.opened(), control, value)

    def opened(self) -> WebcamPort:
        """The open port.

        Raises:
            DeviceLost: It is not open.
        """
        if self.port is None:
            raise DeviceLost(f"{self.name} is not open")
        return self.port

    def close(self) -> None:
        """Give back what was taken, and then the device. Never raises; closing twice is fine."""
        port, taken, self.port, self._taken = self.port, self._taken, None, None
        if port is not None and taken is not None:
            self.refused = taken.give_back(port, self.controls)
            taken.end()
            port.close()

    @property
    def name(self) -> str:
        """The device, for people."""
        return f"webcam {self.found or self._address or 'device'}"

    def describe(self) -> dict[str, Any]:
        """Name, address and lag, for diagnostics."""
        found = self.found
        described: dict[str, Any] = {
            "hardware_id": f"{self.name}, {self._role}",
            "model": found.model if found else "webcam, not open",
            "serial_number": found.serial_number if found else "",
            "node": str(found.node) if found else "",
        }
        if found is not None:
            described["lag"] = f"{self.latency} (and {MARGIN_FRAMES} as a margin)"
        if self.refused:
            described["not given back"] = ", ".join(self.refused)
        return described

    def _find(self) -> WebcamFound:
        webcams = self._access.find()
        if self.found is None:
            return chosen(webcams, self._address)
        # Its node may have another number now.
        known = self.found
        back = [w for w in webcams if (w.model, w.serial_number) == (known.model, known.serial_number)]
        same = [w for w in back if w.bus == known.bus] or back
        if not same:
            raise DeviceLost(f"{known} is no longer there. Check cable and USB port")
        return same[0]
