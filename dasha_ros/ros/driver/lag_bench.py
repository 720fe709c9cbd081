"""A camera node as the measurement of its lag needs it: every picture, and both settings in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import DeviceTimeout, FrameIncomplete
from dasha_ros.devices.lag.measurement import CANDIDATES, Setting, exposure_setting, focus_setting, spread
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.perception.errors import ImageError
from dasha_ros.perception.image import working_image
from dasha_ros.ros.driver.device import DriverDevice, MakePort
from dasha_ros.ros.driver.parameters import NumberParameter
from dasha_ros.ros.driver.table import DriverDescription, Value

_PATIENCE_S = 5.0
_LONGEST_US = 30_000.0
"""Exposures that leave the frame rate as it is [us]."""


class DriverLagBench:
    """A `LagBench` that uses exposure and focus of a driver. Use it as a context."""

    def __init__(
        self,
        description: DriverDescription,
        make_port: MakePort,
        node: str = "",
        notes: Path | None = None,
    ) -> None:
        """Not opened yet.

        Args:
            description: The driver.
            make_port: Makes a port to it.
            node: Its name in the graph; empty: the usual one.
            notes: Folder of the notes of what is to be given back after a kill; ``None``: none are kept.
        """
        automatics: dict[str, Value] = dict(description.exposure_automatics)
        if description.focus is not None:
            automatics |= description.focus_automatics
        self._description = description
        self._device = DriverDevice(
            "camera",
            description,
            node,
            make_port,
            automatics=automatics,
            latency_path="",
            notes=notes,
        )
        self._focus: NumberParameter | None = None

    def __enter__(self) -> DriverLagBench:
        """Switch its automatic functions off, and listen to its pictures.

        Raises:
            DeviceLost: It is not there, or can't be used.
        """
        device, focus = self._device, self._description.focus
        try:
            port = device.open()
            self._exposure = device.number(self._description.exposure)
            self._focus = None if focus is None else device.number(focus)
            port.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        """Give everything back."""
        self._device.close()

    @property
    def model(self) -> str:
        """Names the driver and its node."""
        return self._device.model

    @property
    def exposure(self) -> Setting:
        """Exposures that leave the frame rate as it is."""
        low, high = self._exposure.own_low, min(self._exposure.own_high, _LONGEST_US)
        return exposure_setting(spread(low, max(high, 2.0 * low)), self._setter(self._exposure))

    @property
    def focus(self) -> Setting | None:
        """The whole range of the lens; ``None``: it has none."""
        focus = self._focus
        if focus is None:
            return None
        values = tuple(float(value) for value in np.linspace(focus.low, focus.high, CANDIDATES))
        return focus_setting(values, self._setter(focus))

    def next(self) -> tuple[NDArray[np.uint8], int]:
        """The next picture that is whole."""
        port = self._device.opened()
        while (picture := port.next(_PATIENCE_S, lambda: False)) is not None:
            try:
                return working_image(picture.pixels, picture.encoding, WORKING_WIDTH_PX), picture.stamp_ns
            except (FrameIncomplete, ImageError):
                continue
        raise DeviceTimeout(f"{self._device.name} published no picture in {_PATIENCE_S:g} s")

    def _setter(self, parameter: NumberParameter) -> Callable[[float], object]:
        def set_value(value: float) -> None:
            self._device.set(parameter, value)
            self._device.opened().drain()

        return set_value
