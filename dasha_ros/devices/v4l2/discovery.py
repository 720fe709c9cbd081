"""Which webcams are there, and which one is meant."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.devices.errors import DeviceLost

SYSFS = Path("/sys/class/video4linux")
DEV = Path("/dev")


@dataclass(frozen=True, slots=True)
class WebcamFound:
    """One video device that the kernel shows."""

    node: Path
    """Such as ``/dev/video0``."""
    name: str
    usb_id: str
    """Vendor and product, such as ``046d:0825``; empty: not a USB device."""
    serial_number: str
    """Empty where the device has none."""
    bus: str
    """The USB port, such as ``1-2.3``; stays the same when the same socket is used."""

    def __str__(self) -> str:
        """For people."""
        extra = [text for text in (self.serial_number, self.bus and f"at {self.bus}") if text]
        return f"{self.name} on {self.node}" + (f" ({', '.join(extra)})" if extra else "")

    @property
    def model(self) -> str:
        """Names the model, for what is measured once for all devices of it."""
        return f"{self.usb_id} {self.name}".strip()

    @property
    def key(self) -> str:
        """Names this very device, as far as it can be told from its likes."""
        return f"{self.model} {self.serial_number or self.bus or self.node.name}"

    def matches(self, address: str) -> bool:
        """Whether ``address`` names this device: by itself, or as a link to its node."""
        if address in (self.serial_number, self.bus, self.name):
            return True
        return address.startswith("/") and os.path.realpath(address) == os.path.realpath(self.node)


def list_webcams(sysfs: Path = SYSFS, dev: Path = DEV) -> list[WebcamFound]:
    """Every video device that may be a webcam, in a stable order.

    A webcam has several nodes; the first carries the pictures.
    """
    nodes = sorted(sysfs.glob("video*"), key=lambda path: (len(path.name), path.name))
    return [_found(node, dev) for node in nodes if _text(node / "index") in ("", "0")]


def chosen(webcams: Iterable[WebcamFound], address: str) -> WebcamFound:
    """The webcam that ``address`` names.

    Args:
        webcams: Those that are there.
        address: Serial number, bus path, name, or a path; empty: the only one on USB, or the only one at all.

    Raises:
        DeviceLost: None is, or several are.
    """
    there = list(webcams)
    # Single-board computers have a dozen video nodes that are no webcams; those on USB are.
    usb = [found for found in there if found.usb_id]
    matching = [found for found in there if found.matches(address)] if address else usb or there
    if len(matching) == 1:
        return matching[0]
    seen = "; ".join(map(str, there)) or "none"
    if not matching:
        named = f"webcam {address!r}" if address else "webcam"
        raise DeviceLost(f"no {named} is there (the kernel shows: {seen}). Check cable and USB port")
    asked = f"{address!r} names" if address else "no device was named, and there are"
    raise DeviceLost(f"{asked} several webcams: {seen}. Name one by serial number, bus path or /dev path")


def check_permission(found: WebcamFound) -> None:
    """Check that this user may open a webcam.

    Raises:
        DeviceLost: No.
    """
    if not os.access(found.node, os.R_OK | os.W_OK):
        raise DeviceLost(
            f"this user may not open {found.node}: sudo usermod -aG video $USER, then log in again"
        )


def _found(node: Path, dev: Path) -> WebcamFound:
    usb = (node / "device").resolve().parent
    vendor, product = _text(usb / "idVendor"), _text(usb / "idProduct")
    is_usb = bool(vendor and product)
    return WebcamFound(
        node=dev / node.name,
        name=_text(node / "name") or node.name,
        usb_id=f"{vendor}:{product}" if is_usb else "",
        serial_number=_text(usb / "serial") if is_usb else "",
        bus=usb.name if is_usb else "",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
