"""Serial ports: which there are, and which one a lens is at."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dasha_ros.devices.errors import DeviceLost, OutOfRange

_ICC_USB_ID = "0483:a31e"
"""By which Optotune's own package finds an ICC-4C (optoICC 2.0, its API documentation)."""
_LENSES = {"optotune": "optotune", "cp210": "varioptic"}
"""A word in a port's description, in small letters, and the back end of the lenses that are behind it."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One serial port of this machine."""

    path: str
    serial_number: str
    """Of the USB bridge; empty: it has none."""
    description: str
    """What the USB bridge says of itself; empty: nothing."""
    usb_id: str = ""
    """Vendor and product number of the USB bridge, in hexadecimal; empty: not known."""

    @property
    def backend(self) -> str:
        """The lens back end that it probably belongs to; empty: none is known."""
        return "optotune_icc" if self.usb_id == _ICC_USB_ID else likely_backend(self.description)


def likely_backend(description: str) -> str:
    """The lens back end for a port that is described like this; empty: none is known.

    A CP210x bridge is on Corning's boards, and on much else.
    """
    text = description.lower().replace("_", " ")
    return next((backend for word, backend in _LENSES.items() if word in text), "")


def list_ports() -> list[SerialPort]:
    """The serial ports that have a USB bridge, by path."""
    from serial.tools import list_ports

    return sorted(
        (
            SerialPort(
                info.device,
                info.serial_number or "",
                " ".join(filter(None, (info.manufacturer, info.product))),
                f"{info.vid:04x}:{info.pid:04x}",
            )
            for info in list_ports.comports()
            if info.vid is not None
        ),
        key=lambda port: port.path,
    )


def find_port(port: str, serial_number: str) -> str:
    """The path of the port to open.

    Args:
        port: A path; empty: whichever port has the serial number.
        serial_number: Serial number of the USB bridge; empty: whatever is at ``port``.

    Raises:
        DeviceLost: Nothing matches, or the device at ``port`` has another serial number.
        OutOfRange: Both are empty.
    """
    if not serial_number:
        if not port:
            raise OutOfRange(
                "a lens needs a port or a serial number: set `port`, best to a path under /dev/serial/by-id"
            )
        return port
    from serial.tools import list_ports

    found: dict[str, str] = {
        info.device: info.serial_number or "" for info in list_ports.comports(include_links=True)
    }
    if port:
        if not os.path.exists(port):
            raise DeviceLost(f"there is no {port}. Is the lens board plugged in?")
        actual = found.get(port) or found.get(os.path.realpath(port), "")
        if actual != serial_number:
            raise DeviceLost(
                f"the device at {port} has the serial number {actual or 'unknown'!r}, not {serial_number!r}."
                " Plug in the right board, or change the parameter."
            )
        return port
    for device, actual in sorted(found.items()):
        if actual == serial_number:
            return device
    there = ", ".join(
        f"{device} ({number or 'no serial number'})" for device, number in sorted(found.items())
    )
    raise DeviceLost(f"no serial port has the serial number {serial_number!r}; found: {there or 'none'}")
