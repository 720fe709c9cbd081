"""The camera of a focal stack: it shows the frame at which the lens stands, with exposure and noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.simulated_camera import SimulatedCamera
from dasha_ros.devices.stack.description import Stack, StackError
from dasha_ros.devices.stack.frames import StackFrames
from dasha_ros.devices.stack.lens import WHOLE_FRAMES, stack_lens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.exposure_table import T_MAX_US, T_MIN_US
from dasha_ros.optics.sensor import Pixels, Sensor
from dasha_ros.optics.tone import Tone, srgb_of_levels

AS_RECORDED_US = 10_000.0
"""The exposure at which frames look as recorded [us]."""
_SRGB_BITS = 12
"""Bits of the sensor behind the curve sRGB, which spreads dark levels far apart."""


class StackCamera(SimulatedCamera[None]):
    """A CMV2000 sensor behind a recorded lens; see `SimulatedCamera`.

    Frames are read as linear light. Exposure and gain multiply it, the sensor adds its noise and clips, and
    the response curve makes grey levels of it. At the exposure ``as_recorded_us``, the recording's white
    fills the sensor. What the recording's own camera clipped or quantised stays so.
    """

    def __init__(
        self,
        clock: Clock,
        stack: Stack,
        *,
        tone: Tone = "linear",
        encoding: str = "mono8",
        step: float = WHOLE_FRAMES,
        as_recorded_us: float = AS_RECORDED_US,
        seed: int | None = None,
        exposure_min_us: float = T_MIN_US,
        exposure_max_us: float = T_MAX_US,
    ) -> None:
        """Set up a camera; frames are read by `open`.

        Args:
            clock: Exposures take their time on it.
            stack: What it shows.
            tone: Response curve.
            encoding: ``mono8`` or ``rgb8``.
            step: Step of the lens [frames]; with 1, nothing but recorded frames is shown.
            as_recorded_us: The exposure at which frames look as recorded [us].
            seed: Seed of the noise; ``None``: new noise every time.
            exposure_min_us: Shortest exposure [us].
            exposure_max_us: Longest exposure [us].

        Raises:
            ValueError: Unknown encoding.
        """
        if encoding not in ("mono8", "rgb8"):
            raise ValueError(
                f"encoding {encoding!r}: a focal stack has mono8 and rgb8, because its frames have 8 bits"
            )
        sensor = Sensor(bits=_SRGB_BITS if tone == "srgb" else 8)
        super().__init__(
            clock,
            "focal stack's camera",
            sensor,
            seed=seed,
            exposure_min_us=exposure_min_us,
            exposure_max_us=exposure_max_us,
        )
        self._stack, self._tone, self._encoding, self._step = stack, tone, encoding, step
        self._lens = stack_lens(stack, step)
        # White fills the full well: the number of electrons is proportional to the light.
        self._white_lx = sensor.full_well_e / sensor.photo_electrons(1.0, as_recorded_us)
        self._frames: StackFrames | None = None

    @property
    def frames(self) -> StackFrames:
        """The decoded frames.

        Raises:
            DeviceLost: The camera was never opened.
        """
        if self._frames is None:
            raise DeviceLost(f"the {self._name} is not open")
        return self._frames

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            **super().describe(),
            "hardware_id": f"camera of the focal stack {self._stack.folder}",
            "model": "recorded focal stack",
            "frames": len(self._stack.files),
            "tone": self._tone,
        }

    def _load(self) -> tuple[int, int, str]:
        if self._frames is None:
            try:
                self._frames = StackFrames(self._stack, colour=self._encoding == "rgb8")
            except StackError as error:
                raise DeviceLost(str(error)) from error
        return *self._frames.size, self._encoding

    def _view(self) -> None:
        return None

    def _image_lx(self, view: None) -> float:
        return self._white_lx

    def _light(self, view: None, focus_dioptres: float) -> NDArray[np.float32]:
        position = self._lens.position(focus_dioptres)
        if self._step > 0.0:
            position = round(position / self._step) * self._step
        return self.frames.light(position)

    def _developed(self, pixels: Pixels) -> Pixels:
        if self._tone == "linear":
            return pixels
        return np.asarray(np.take(srgb_of_levels(1 << _SRGB_BITS), pixels), np.uint8)
