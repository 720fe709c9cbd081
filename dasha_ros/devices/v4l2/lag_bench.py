"""A webcam as the measurement of its lag needs it: every frame, and both settings in one process."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import DeviceTimeout, FrameIncomplete
from dasha_ros.devices.lag.measurement import CANDIDATES, Setting, exposure_setting, focus_setting, spread
from dasha_ros.devices.v4l2.controls import EXPOSURE_MANUAL, Control, ControlId, need_range
from dasha_ros.devices.v4l2.device import Webcam, WebcamAccess
from dasha_ros.devices.v4l2.formats import best_format
from dasha_ros.devices.v4l2.pixels import decode

_PATIENCE_S = 5.0
_WIDTH, _HEIGHT = 640, 480
"""The nearest size is used: the lag is one of frames, whatever their size [px]."""


class WebcamLagBench:
    """A `LagBench` that claims camera and lens of a webcam. Use it as a context."""

    def __init__(self, address: str = "", access: WebcamAccess | None = None) -> None:
        """Not opened yet.

        Args:
            address: See `discovery.chosen`.
            access: How to get at the device.
        """
        self._camera, self._lens = (Webcam(role, address, "", access) for role in ("camera", "lens"))

    def __enter__(self) -> WebcamLagBench:
        """Claim the device, switch its automatic functions off, and start its stream.

        Raises:
            DeviceLost: It is not there, or somebody else uses it.
        """
        camera = self._camera
        try:
            self._port = camera.open()
            self._lens.open()
            for which, off in ((ControlId.AUTO_EXPOSURE, EXPOSURE_MANUAL), (ControlId.AUTO_WHITE_BALANCE, 0)):
                if which in camera.controls:
                    camera.take(camera.controls[which], off)
            if (auto := self._lens.controls.get(ControlId.FOCUS_AUTOMATIC_CONTINUOUS)) is not None:
                self._lens.take(auto, 0)
            self._exposure = need_range(camera.controls, ControlId.EXPOSURE_TIME_ABSOLUTE, camera.name)
            wanted = best_format(self._port.formats(), _WIDTH, _HEIGHT, "", camera.name)
            self._format = self._port.start(wanted)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        """Give everything back."""
        self._lens.close()
        self._camera.close()

    @property
    def model(self) -> str:
        """Names the model."""
        assert self._camera.found is not None
        return self._camera.found.model

    @property
    def exposure(self) -> Setting:
        """Exposures that leave the frame rate as it is."""
        control = self._exposure
        frame_s = 1.0 / self._format.rate_hz if self._format.rate_hz else 1.0 / 30.0
        longest = max(control.minimum + control.step, min(control.greatest, frame_s * 0.9 * 1e4))
        values = spread(max(control.minimum, control.step), longest)
        return exposure_setting(values, self._setter(self._camera, control))

    @property
    def focus(self) -> Setting | None:
        """The whole range of the lens."""
        if ControlId.FOCUS_ABSOLUTE not in self._lens.controls:
            return None
        control = need_range(self._lens.controls, ControlId.FOCUS_ABSOLUTE, self._lens.name)
        values = tuple(float(v) for v in np.linspace(control.minimum, control.greatest, CANDIDATES))
        return focus_setting(values, self._setter(self._lens, control))

    def next(self) -> tuple[NDArray[np.uint8], int]:
        """The next frame that is whole."""
        while (picture := self._port.next(_PATIENCE_S, lambda: False)) is not None:
            try:
                return decode(picture.data, self._format, "mono8"), picture.stamp_ns
            except FrameIncomplete:
                continue
        raise DeviceTimeout(f"{self._camera.name} sent no frame in {_PATIENCE_S:g} s")

    def _setter(self, webcam: Webcam, control: Control) -> Any:
        def set_value(value: float) -> None:
            webcam.take(control, control.nearest(value))
            self._port.drain()

        return set_value
