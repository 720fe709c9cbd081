"""Plugs a USB device that is served over a socket into this machine's kernel."""

from __future__ import annotations

import os
import socket
from pathlib import Path

CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
_FREE = "004"
_HIGH_SPEED = 3
_DEVICE = 1 << 16 | 1
"""Bus and number, which only the server's side knows."""


class KernelError(OSError):
    """This kernel takes no such device; the message says what is missing."""


def plug(device: socket.socket, controller: Path = CONTROLLER) -> int:
    """Hand one end of a connection to the kernel, which asks the other end as it would ask a USB device.

    Args:
        device: The kernel's end. It may be closed afterwards.
        controller: Folder of the virtual host controller.

    Returns:
        The number of the port.

    Raises:
        KernelError: There is no virtual host controller, no free port, or no permission.
    """
    try:
        status = (controller / "status").read_text(encoding="ascii")
    except OSError as error:
        raise KernelError(
            "this kernel has no virtual USB port: sudo modprobe -a vhci-hcd uvcvideo. A kernel without"
            " modules can't take the emulated webcam; ./scripts/test-webcam boots one that can"
        ) from error
    port = free_port(status)
    try:
        order = f"{port} {device.fileno()} {_DEVICE} {_HIGH_SPEED}"
        (controller / "attach").write_text(order, encoding="ascii")
    except PermissionError as error:
        raise KernelError("only root may plug in a device: use sudo") from error
    except OSError as error:
        raise KernelError(f"the kernel did not take the device: {error.strerror}") from error
    return port


def free_port(status: str) -> int:
    """The first free port of a status file.

    Raises:
        KernelError: None is free.
    """
    for line in status.splitlines()[1:]:
        words = line.split()
        if len(words) > 2 and words[0] == "hs" and words[2] == _FREE:
            return int(words[1])
    raise KernelError("all virtual USB ports are taken: end other emulators, or usbip detach")


def loaded_modules(modules: Path = Path("/sys/module")) -> bool:
    """Whether this kernel can take the device: it has a virtual host controller and the UVC driver."""
    return os.path.isdir(modules / "vhci_hcd") and os.path.isdir(modules / "uvcvideo")
