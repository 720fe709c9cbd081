"""A Basler camera's lens port as a node map: a lens that travels, sleeps, or is missing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from dasha_ros.devices.errors import DeviceLost

T = TypeVar("T")


class _Node:
    """One node, as pypylon has it."""

    def __init__(self, port: OpticNodes, name: str) -> None:
        self._port, self._name = port, name

    def IsReadable(self) -> bool:
        return True

    def IsWritable(self) -> bool:
        return self._port.writable

    def GetValue(self) -> Any:
        return self._port.value(self._name)

    def SetValue(self, value: Any) -> None:
        self._port.set(self._name, value)

    def GetSymbolics(self) -> tuple[str, ...]:
        return ("Optic1",)

    def GetMin(self) -> Any:
        return self._port.limits[0]

    def GetMax(self) -> Any:
        return self._port.limits[1]

    def HasInc(self) -> bool:
        return True

    def GetInc(self) -> Any:
        return self._port.step

    def Execute(self) -> None:
        self._port.execute(self._name)


class OpticNodes:
    """The node map of a camera with a lens at its port, and the camera that lends it.

    A move takes ``travel`` looks at the status; a lens that sleeps takes as many to wake.

    Args:
        kind: ``FocalPower`` (a liquid lens in dioptres) or ``FocusStepper`` (a motor lens in steps).
    """

    def __init__(self, kind: str = "FocalPower", travel: int = 2) -> None:
        self.kind, self._travel = kind, travel
        self.limits: tuple[Any, Any] = (-2.0, 3.0) if kind == "FocalPower" else (0, 600)
        self.step: Any = 0.125 if kind == "FocalPower" else 2
        self.missing: set[str] = {"FocusStepper" if kind == "FocalPower" else "FocalPower", "FocusStatus"}
        self.status = "NotInitialized"
        self.rest = 0.5 if kind == "FocalPower" else 300
        """Where the lens is when it is initialised."""
        self.position: Any = self.rest
        self.writable, self.plugged, self.is_open = True, True, True
        self.never_arrives = False
        self.commands: list[Any] = []
        self.executed: list[str] = []
        self._busy = 0
        self._lock = threading.Lock()

    def with_nodes(self, call: Callable[[Any], T]) -> T:
        """Lend the node map, as an open camera does."""
        with self._lock:
            if not (self.plugged and self.is_open):
                raise DeviceLost("the camera is not open" if self.plugged else "the camera was lost")
            return call(self)

    def unplug(self) -> None:
        """The camera loses its power, and so does the lens."""
        self.plugged, self.status, self.position = False, "NotInitialized", self.rest

    def plug(self) -> None:
        """The camera is back and opened."""
        self.plugged = True

    def GetNode(self, name: str) -> _Node | None:
        return None if name in self.missing else _Node(self, name)

    def value(self, name: str) -> Any:
        if name in ("OpticControllerStatus", "FocusStatus"):
            if self._busy > 0:
                self._busy -= not self.never_arrives
                return "Busy"
            return self.status
        fixed = {"OpticControllerSelector": "Optic1", "OpticControllerTemperature": 31.5}
        if name in fixed:
            return fixed[name]
        return "EL-16-40" if name == "OpticControllerModelName" else self.position

    def set(self, name: str, value: Any) -> None:
        if name != self.kind:
            return
        least, greatest = self.limits
        assert least <= value <= greatest, f"{value} sent to a lens of {least}..{greatest}"
        self.commands.append(value)
        steps = round((value - least) / self.step)
        self.position = type(least)(np.float32(least + steps * self.step))
        self._busy = self._travel

    def execute(self, name: str) -> None:
        self.executed.append(name)
        self.status, self._busy, self.position = "Ready", self._travel, self.rest
