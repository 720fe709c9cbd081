"""What a back end needs of a camera node: parameters, and pictures with what is told about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dasha_ros.perception.image_message import Pixels
from dasha_ros.ros.driver.table import Value


@dataclass(frozen=True, slots=True)
class DescribedParameter:
    """A parameter as the driver describes it."""

    name: str
    kind: str
    """``bool``, ``integer``, ``double``, ``string``, ``unset``, or another type of ROS."""
    low: float | None = None
    """Least value; ``None``: the driver tells no range."""
    high: float | None = None
    step: float = 0.0
    """Between two values; 0: any."""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a picture's own metadata say."""

    exposure_us: float
    gain_db: float | None = None
    """``None``: they do not tell."""


@dataclass(frozen=True, slots=True)
class DriverPicture:
    """A picture that arrived."""

    pixels: Pixels
    encoding: str
    stamp_ns: int
    """Its stamp on the steady clock; when it arrived, if that was earlier or the stamp is another clock's."""
    stamp_is_known: bool = True
    """Whether the stamp is of this machine's clock."""
    told: Told | None = None
    """``None``: no metadata came for it."""


class DriverPort(Protocol):
    """A camera node. Used from one thread."""

    def parameters(self, names: Sequence[str]) -> dict[str, DescribedParameter]:
        """Those of ``names`` that the driver has.

        Raises:
            DeviceLost: There is no such node, or it does not answer.
        """
        ...

    def get(self, names: Sequence[str]) -> dict[str, Value]:
        """Values in force; those without a value are left out.

        Raises:
            DeviceLost: See `parameters`.
        """
        ...

    def set(self, values: Mapping[str, Value]) -> None:
        """Set parameters in this order.

        Raises:
            DeviceError: The driver refused; the message has its reason.
            DeviceLost: See `parameters`.
        """
        ...

    def start(self) -> None:
        """Listen to pictures and metadata."""
        ...

    def drain(self) -> int:
        """Throw away the pictures that have arrived and return how many.

        Raises:
            DeviceLost: The driver is gone, or was restarted, so that its parameters are its defaults.
        """
        ...

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> DriverPicture | None:
        """The next picture in the order of arrival; ``None``: none came, or it was interrupted.

        Raises:
            DeviceLost: See `drain`.
            FrameIncomplete: The message holds no valid picture.
        """
        ...

    def close(self) -> None:
        """Leave the graph. Never raises; closing twice is fine."""
        ...
