"""The lens at a camera's own lens port, by its node map.

Sources: EMVA, *GenICam Standard Features Naming Convention* 2.7.1, chapter 23.4 (OpticControl); Basler,
product documentation, *Optic Control* (ace 2, boost). A liquid lens takes ``FocalPower`` in dioptres, a motor
lens ``FocusStepper`` in steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.pylon import nodes

POSITIONS = {"FocalPower": "D", "FocusStepper": "steps"}
"""Nodes that hold a lens's position, best first, and their units."""
_MOVING = ("Busy",)
_ASLEEP = ("NotInitialized",)
_ABSENT = ("NotConnected", "NotSupported")
_BROKEN = ("Error",)
_INITIALISERS = (("OpticControllerStatus", "OpticControllerInitialize"), ("FocusStatus", "FocusInitialize"))


@dataclass(frozen=True, slots=True)
class OpticState:
    """What a lens port says of its lens."""

    unit: str
    least: float
    greatest: float
    step: float
    """Smallest difference of two positions; 0: the camera does not tell."""
    position: float
    moving: bool
    ready: bool
    """Whether it takes positions: it is initialised."""
    faults: tuple[str, ...]
    model: str
    temperature_c: float | None


class OpticController:
    """One look at the lens port of an open camera; nodes may come and go with the lens.

    Args:
        node_map: The camera's.

    Raises:
        DeviceLost: The camera has no lens port, or there is no lens at it.
        genicam.GenericException: The camera refused or is gone.
    """

    def __init__(self, node_map: Any) -> None:
        self._map = node_map
        selector = nodes.find(node_map, "OpticControllerSelector")
        if selector is None:
            raise DeviceLost(
                "this camera has no lens port (no OpticControllerSelector): ace 2 and newer cameras have one;"
                " choose another back end for the lens"
            )
        nodes.choose(node_map, "OpticControllerSelector", selector.GetSymbolics()[0])
        self._check_lens()

    def wake(self) -> bool:
        """Initialise what needs it; returns whether the lens then takes positions."""
        for status, command in _INITIALISERS:
            asleep = self._status(status) in _ASLEEP
            node = self._map.GetNode(command)
            if asleep and node is not None and node.IsWritable():
                node.Execute()
                return False
        return not self._asleep() and self._status() not in _MOVING

    def state(self) -> OpticState:
        """Limits, position and status.

        Raises:
            DeviceLost: The lens has no position that can be set.
        """
        name, node = self._position_node()
        temperature = nodes.find(self._map, "OpticControllerTemperature")
        model = nodes.find(self._map, "OpticControllerModelName")
        has_step = isinstance(node.GetMin(), int) or node.HasInc()
        status = self._status()
        return OpticState(
            unit=POSITIONS[name],
            least=float(node.GetMin()),
            greatest=float(node.GetMax()),
            step=float(node.GetInc()) if has_step else 0.0,
            position=float(node.GetValue()),
            moving=status in _MOVING or self._status("FocusStatus") in _MOVING,
            ready=not self._asleep(),
            faults=("the lens reports Error",) if status in _BROKEN else (),
            model="" if model is None else str(model.GetValue()),
            temperature_c=None if temperature is None else float(temperature.GetValue()),
        )

    def go(self, position: float) -> None:
        """Command a position.

        Raises:
            DeviceError: The lens takes none now.
        """
        _, node = self._position_node()
        if not node.IsWritable():
            raise DeviceError("the lens takes no position now: it is moving or being initialised")
        nodes.set_number(node, round(position) if isinstance(node.GetMin(), int) else position)

    def _position_node(self) -> tuple[str, Any]:
        for name in POSITIONS:
            if (node := nodes.find(self._map, name)) is not None:
                return name, node
        raise DeviceLost(
            f"the lens at the camera's port has no {' or '.join(POSITIONS)}: check its cable, and that the"
            " camera knows this lens"
        )

    def _check_lens(self) -> None:
        status = self._status()
        if status in _ABSENT:
            raise DeviceLost(f"the camera's lens port says {status}: check the lens and its cable")

    def _asleep(self) -> bool:
        return any(self._status(status) in _ASLEEP for status, _ in _INITIALISERS)

    def _status(self, name: str = "OpticControllerStatus") -> str:
        """A status; empty: this camera does not tell."""
        node = nodes.find(self._map, name)
        return "" if node is None else str(node.GetValue())
