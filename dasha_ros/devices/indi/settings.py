"""Which focuser behind which INDI server, and how it moves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dasha_ros.devices.indi.server import DEFAULT_PORT
from dasha_ros.optics.lens_info import EITHER_SIDE, FROM_ABOVE, FROM_BELOW

_ADDRESS = re.compile(
    r"(?:(?![0-9]+(?::|$))(?P<name>[^:\[\]]+)|\[(?P<ipv6>[^\[\]]+)\])(?::(?P<port>[0-9]{1,5}))?"
)
"""A host, which is no bare number, and a port; an address of IPv6 is in brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndiSettings:
    """Which focuser, and how it moves."""

    server: str = f"localhost:{DEFAULT_PORT}"
    """Name or address of the server's machine, and its port after a colon."""
    device: str = ""
    """Name of the focuser; empty: the only one there is."""
    backlash_steps: int = 0
    """Steps that are lost after a turn."""
    approach: int = EITHER_SIDE
    """`FROM_BELOW` or `FROM_ABOVE`: every position is reached from this side, and moves from the other one
    first go farther by the backlash. `EITHER_SIDE`: moves are direct."""
    home: str = ""
    """``PROPERTY.SWITCH`` that makes the focuser find its reference, pressed at the first opening; empty:
    none."""
    travel_timeout_s: float = 30.0
    """How long a move may take [s]."""
    settle_s: float = 0.1
    """How long the optics tremble after the motor has stopped [s]."""
    reply_timeout_s: float = 2.0
    """How long an answer may take [s]."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: One is impossible.
        """
        self.address  # noqa: B018 - asking is the check
        if self.approach not in (EITHER_SIDE, FROM_BELOW, FROM_ABOVE):
            raise ValueError(f"approach is {self.approach!r}; it must be 1, -1 or 0")
        if self.backlash_steps < 0:
            raise ValueError(f"backlash_steps is {self.backlash_steps!r}; it must not be negative")
        if self.home and self.home.count(".") != 1:
            raise ValueError(f"home is {self.home!r}; write PROPERTY.SWITCH, such as FOCUS_HOME.GO")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            ValueError: ``server`` names none.
        """
        said = _ADDRESS.fullmatch(self.server)
        port = int(said["port"] or DEFAULT_PORT) if said else 0
        if said is None or not 0 < port < 65536:
            raise ValueError(f"the INDI server {self.server!r} is no HOST:PORT, such as localhost:7624")
        return said["name"] or said["ipv6"], port
