"""The rig: applies a setting and returns the percept that answers it."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Box, Percept
from dasha_ros.policies.outcome import ErrorCode


class RigError(Exception):
    """No percept answers a command.

    ``code`` is a constant of `FocusOnObject.Result` (see `policies.outcome`). The message says
    what happened; whoever reports it adds what to do (`outcome.explain`).
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rig(Protocol):
    """A camera with a lens, wherever it is: in this process, in a cache, or across ROS topics."""

    table: ExposureTable

    @property
    def lens(self) -> LensModel:
        """The lens, as policies know it.

        Raises:
            RigError: Nobody has told of it.
        """
        ...

    def observe(self) -> Percept:
        """A percept with the active settings, which stay as they are.

        Raises:
            RigError: No percept answers.
        """
        ...

    def expose(self, exposure_us: float) -> Percept:
        """Set the exposure time and return the percept that answers.

        Raises:
            RigError: No percept answers.
        """
        ...

    def move(self, position: float) -> Percept:
        """Move the lens and return the percept that answers.

        Raises:
            RigError: No percept answers.
        """
        ...


@runtime_checkable
class Metering(Protocol):
    """A rig whose percepts tell the light of an object, if somebody asks."""

    def meter(self, region: Box | None) -> None:
        """Choose what the percepts of the next exposure commands tell the light of.

        Args:
            region: A part of the picture, as fractions of its width and height; the boxes of all detections
                come with it. ``None``: nobody asks any more.
        """
        ...


def checked(percept: Percept) -> Percept:
    """Return the percept if all its values are finite; no decision may rest on others.

    Raises:
        RigError: A value is not finite; the message names it.
    """
    if percept.is_finite():
        return percept
    names = ("histogram_peak", "mean_grey", "brisque", "sharpness", "flicker_hz")
    values = {name: getattr(percept, name) for name in names}
    bad = [f"{name} = {value}" for name, value in values.items() if not math.isfinite(value)]
    raise RigError(
        ErrorCode.PERCEPT_INVALID,
        f"A percept holds values that are not finite numbers ({', '.join(bad) or 'latent or detections'})",
    )
