"""A camera node as its camera and its lens share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import MARGIN_FRAMES, Latency, latency_of
from dasha_ros.devices.notes import RoleNotes
from dasha_ros.files.errors import FileError
from dasha_ros.ros.driver.parameters import NumberParameter
from dasha_ros.ros.driver.port import DriverPort
from dasha_ros.ros.driver.table import DriverDescription, Quantity, Value
from dasha_ros.ros.driver.taken import TakenParameters

MakePort = Callable[[], DriverPort]


class DriverDevice:
    """Opens a port to a driver, takes its automatic functions, and gives both back.

    Attributes:
        name: The driver, for people.
        latency: The measured or assumed lag.
        refusals: Settings that the driver refused since this object was made.
    """

    def __init__(
        self,
        role: str,
        description: DriverDescription,
        node: str,
        make_port: MakePort,
        *,
        automatics: Mapping[str, Value],
        latency_path: str,
        notes: Path | None = None,
    ) -> None:
        """Not opened yet.

        Args:
            role: ``camera`` or ``lens``.
            description: The driver.
            node: Its name in the graph; empty: the usual one.
            make_port: Makes a port.
            automatics: What to switch off.
            latency_path: File of the measured lag; empty: the one of this driver and node, if there is one.
            notes: Folder of the notes of what is to be given back; ``None``: none are kept.
        """
        self._role, self.description, self._make_port = role, description, make_port
        self._node, self._latency_path = node or description.node, latency_path
        self.name = f"driver {description.name} at {self._node}"
        self.latency = Latency(self.model)
        self.refusals = 0
        self._taken = TakenParameters(
            automatics, None if notes is None else RoleNotes(self.name, role, notes)
        )
        self._port: DriverPort | None = None

    @property
    def model(self) -> str:
        """Names the driver and its node in the file of the lag."""
        return f"{self.description.name} {self._node}"

    def open(self) -> DriverPort:
        """Find the driver and switch its automatic functions off.

        Raises:
            DeviceLost: It is not there, or can't be used.
        """
        self.close()
        try:
            self.latency = latency_of(self.model, self._latency_path)
        except FileError as error:
            raise DeviceLost(f"the lag of {self.name} is unknown: {error}") from error
        self._port = port = self._make_port()
        self._taken.take(port, self.name)
        return port

    def close(self) -> None:
        """Give everything back. Never raises; closing twice is fine."""
        port, self._port = self._port, None
        if port is not None:
            self._taken.give_back(port)
            port.close()

    def opened(self) -> DriverPort:
        """The open port.

        Raises:
            DeviceLost: It is not open.
        """
        if self._port is None:
            raise DeviceLost(f"{self.name} is not open")
        return self._port

    def number(self, quantity: Quantity) -> NumberParameter:
        """A parameter of the open driver.

        Raises:
            DeviceLost: See `NumberParameter.of`.
        """
        described = self.opened().parameters([quantity.name])
        return NumberParameter.of(quantity, described.get(quantity.name), self.name)

    def set(self, parameter: NumberParameter, own: float) -> float:
        """Set a parameter and return what the driver says that it has now, in this package's unit.

        `close` gives back what it was, except that a lens stays where it is.

        Raises:
            DeviceError: The driver refused.
            DeviceLost: It is gone, or its parameter is.
        """
        port, name = self.opened(), parameter.quantity.name
        if parameter.quantity.quantity != "focus":
            self._taken.note(port, name)
        try:
            port.set({name: parameter.nearest(own)})
        except DeviceError:
            self.refusals += 1
            raise
        return self.read(parameter)

    def read(self, parameter: NumberParameter) -> float:
        """The value in force, in this package's unit; see `set`."""
        name = parameter.quantity.name
        return parameter.own(self.opened().get([name]).get(name), self.name)

    def describe(self) -> dict[str, Any]:
        """Driver, node, and lag, for diagnostics."""
        described: dict[str, Any] = {
            "hardware_id": f"{self.name}, {self._role}",
            "model": self.description.name,
            "node": self._node,
            "lag": f"{self.latency} (and {MARGIN_FRAMES} as a margin)",
            "count refused": self.refusals,
        }
        if self._taken.not_given_back:
            described["not given back"] = ", ".join(self._taken.not_given_back)
        return described
