"""The library, which comes from the distribution and not from PyPI, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost, OutOfRange
from dasha_ros.system.extras import ExtraMissing

VERSION = "0.8"
HOW_TO_INSTALL = (
    "sudo apt install python3-gi gir1.2-aravis-0.8, and in a virtual environment that does not see the "
    "system's packages also pip install PyGObject"
)
_WRONG_FEATURE, _NO_FEATURE = 0, 1
_DEVICE_ERRORS = "arv-device-error-quark"
_REFUSED = ("arv-gc-error-quark", "arv-dom-error-quark")
"""Errors of the camera's own description: a value or a feature that it does not have."""


def is_installed() -> bool:
    """Whether Aravis can be used here."""
    try:
        aravis()
    except ExtraMissing:
        return False
    return True


@cache
def aravis() -> Any:
    """The library.

    Raises:
        ExtraMissing: It is not installed; the message says how to install it.
    """
    if find_spec("gi") is None:
        raise ExtraMissing(f"a GenICam camera needs PyGObject and Aravis: {HOW_TO_INSTALL}")
    import gi

    try:
        gi.require_version("Aravis", VERSION)
        from gi.repository import Aravis
    except (ValueError, ImportError) as error:
        raise ExtraMissing(f"a GenICam camera needs Aravis {VERSION} ({error}): {HOW_TO_INSTALL}") from error
    return Aravis


@contextmanager
def calls(name: str, doing: str) -> Iterator[None]:
    """Turn Aravis' errors into ours.

    Args:
        name: The camera, for people.
        doing: What is tried, such as ``setting the exposure``.
    """
    aravis()
    from gi.repository import GLib

    try:
        yield
    except GLib.Error as error:
        if error.domain in _REFUSED:
            raise OutOfRange(f"{name} refused {doing}: {error.message}") from error
        if error.domain == _DEVICE_ERRORS and error.code in (_WRONG_FEATURE, _NO_FEATURE):
            raise DeviceError(f"{name} can't do that, {doing}: {error.message}") from error
        raise DeviceLost(
            f"{name} does not answer while {doing} ({error.message}). Check its power and cable, and that no "
            "other program controls it"
        ) from error
