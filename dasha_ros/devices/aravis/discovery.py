"""Which GenICam cameras are there, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dasha_ros.devices.aravis.library import aravis, why_missing
from dasha_ros.devices.errors import DeviceLost


@dataclass(frozen=True, slots=True)
class GenicamFound:
    """One camera that Aravis sees."""

    id: str
    """Aravis' own name for it."""
    vendor: str
    model: str
    serial_number: str
    address: str
    """IP address, or the place on the USB bus."""
    protocol: str
    """Such as ``GigEVision`` or ``USB3Vision``."""

    def __str__(self) -> str:
        """For people."""
        return f"{self.vendor} {self.model} {self.serial_number} ({self.protocol}, {self.address})"

    def matches(self, address: str) -> bool:
        """Whether ``address`` names this camera."""
        return address in (self.id, self.serial_number, self.address)


def list_cameras() -> list[GenicamFound]:
    """Every camera that Aravis sees. Takes a second: cameras on the network are asked to answer.

    Raises:
        ExtraMissing: Aravis is not installed.
    """
    aravis().update_device_list()
    return known_cameras()


def known_cameras() -> list[GenicamFound]:
    """Those that answered when Aravis looked last in this process; nobody is asked now.

    Raises:
        ExtraMissing: Aravis is not installed.
    """
    library = aravis()
    return [
        GenicamFound(
            id=library.get_device_id(number),
            vendor=library.get_device_vendor(number) or "",
            model=library.get_device_model(number) or "",
            serial_number=library.get_device_serial_nbr(number) or "",
            address=library.get_device_address(number) or "",
            protocol=library.get_device_protocol(number) or "",
        )
        for number in range(library.get_n_devices())
    ]


def list_if_installed() -> list[GenicamFound]:
    """The same; none where Aravis is not installed."""
    return [] if why_missing() else list_cameras()


def chosen(cameras: Sequence[GenicamFound], address: str) -> GenicamFound:
    """The camera that ``address`` names; empty: the only one there is.

    Raises:
        DeviceLost: There is none, or several match.
    """
    matching = [camera for camera in cameras if not address or camera.matches(address)]
    if len(matching) == 1:
        return matching[0]
    seen = "; ".join(map(str, cameras)) or "none"
    if not matching:
        named = f"GenICam camera {address!r}" if address else "GenICam camera"
        raise DeviceLost(
            f"no {named} answers (Aravis sees: {seen}). Check power, cable and, on GigE, the IP address and "
            "the firewall"
        )
    raise DeviceLost(f"several GenICam cameras are there: {seen}. Name one by serial number or address")
