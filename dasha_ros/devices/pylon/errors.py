"""Translates pylon's errors. They derive from ``GenericException``, which is no ``RuntimeError``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout

_GONE = ("physically removed", "no device attached", "not attached", "device is not open", "port is closed")


def is_removed(camera: Any) -> bool:
    """Whether pylon knows that the camera is gone. Its removal event sometimes never comes."""
    from pypylon import genicam

    try:
        return bool(camera.IsCameraDeviceRemoved())
    except genicam.GenericException:
        return True


@contextmanager
def sdk(camera: Any, doing: str) -> Iterator[None]:
    """Translate pylon's errors.

    Only a camera that is gone counts as lost. A refused setting does not lose the camera.

    Args:
        camera: The ``InstantCamera``.
        doing: What is being done, for the message: "opening camera X".

    Raises:
        DeviceLost: The camera is gone.
        DeviceTimeout: The camera did not answer in time.
        DeviceError: It refused.
    """
    from pypylon import genicam

    try:
        yield
    except genicam.GenericException as error:
        reason = str(error).split(" : ")[0].strip()
        if is_removed(camera) or any(text in reason.lower() for text in _GONE):
            raise DeviceLost(
                f"the camera was lost while {doing} ({reason}). Check its power, cable and network link."
            ) from error
        if isinstance(error, genicam.TimeoutException):
            raise DeviceTimeout(f"the camera did not answer in time while {doing} ({reason})") from error
        raise DeviceError(f"the camera reported an error while {doing}: {reason}") from error


@contextmanager
def sdk_open(camera: Any, doing: str) -> Iterator[None]:
    """As `sdk`, for what must work before a camera can be used at all: a refusal is a loss, too.

    Raises:
        DeviceLost: The camera is gone, held by another process, or cannot be set up.
    """
    try:
        with sdk(camera, doing):
            yield
    except DeviceLost:
        raise
    except DeviceError as error:
        text = str(error)
        held = any(
            hint in text.lower() for hint in ("another application", "in use", "exclusively", "control")
        )
        advice = (
            "another process holds it: stop that process (pylon Viewer counts as one)"
            if held
            else "check cable and power, and that its firmware is one that pylon supports"
        )
        if type(error) is DeviceError or isinstance(error, DeviceTimeout):
            raise DeviceLost(f"{text}; {advice}") from error
        raise
