"""Which of an INDI server's devices is meant."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout
from dasha_ros.devices.indi.server import IndiServer

OTHERS_S = 0.3
"""A server's drivers answer one after the other, with less time between [s]."""


def find_device(server: IndiServer, wanted: str) -> str:
    """The name of a device of a connected server: the one that is wanted, or the only one.

    Args:
        server: Connected.
        wanted: Its name; empty: the server has one device only.

    Raises:
        DeviceLost: It is not there; or several are, and none was chosen.
    """

    def there() -> bool:
        return wanted in server.devices() if wanted else bool(server.devices())

    try:
        server.wait(there, "device")
    except DeviceTimeout as error:
        there_are = ", ".join(server.devices()) or "none"
        raise DeviceLost(
            f"the INDI server at {server.address} has no device {wanted!r}; it has: {there_are}."
            if wanted
            else f"the INDI server at {server.address} has no device."
        ) from error
    if wanted:
        return wanted
    # Each driver answers for itself: wait until no more do.
    devices = server.devices()
    with suppress(DeviceTimeout):
        while True:
            devices = server.wait(partial(_more_than, server, len(devices)), "more", OTHERS_S)
    if len(devices) > 1:
        raise DeviceLost(
            f"the INDI server at {server.address} has several devices: {', '.join(devices)}."
            " Choose one with `indi_device`."
        )
    return devices[0]


def _more_than(server: IndiServer, known: int) -> list[str] | None:
    devices = server.devices()
    return devices if len(devices) > known else None
