"""A focal stack's camera and lens as a rig in one process; see `camera_rig`."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import replace

from dasha_ros.control.camera_rig import CameraRig
from dasha_ros.devices.stack.camera import AS_RECORDED_US, StackCamera
from dasha_ros.devices.stack.description import Stack
from dasha_ros.devices.stack.frames import StackFrames
from dasha_ros.devices.stack.lens import WHOLE_FRAMES, settled_within, stack_lens
from dasha_ros.optics.actuator import REFERENCE_C
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.tone import Tone
from dasha_ros.perception.percept import Box, Percept
from dasha_ros.perception.pipeline import Perception

_PERCEPTS_KEPT = 4000
"""A percept fills some 30 kB."""


class StackRig(CameraRig):
    """Implements `Rig` over a focal stack; see `CameraRig`.

    The sensor's noise is the same whenever the lens comes back to a place with the same exposure, so every
    picture is read once. That makes an episode a thousand times faster, and changes nothing else.
    """

    _camera: StackCamera

    def __init__(
        self,
        perception: Perception,
        stack: Stack,
        *,
        tone: Tone = "linear",
        encoding: str = "mono8",
        step: float = WHOLE_FRAMES,
        position: float | None = None,
        exposure_us: float = AS_RECORDED_US,
        table: ExposureTable | None = None,
        seed: int = 0,
    ) -> None:
        """Read the frames and put everything in place.

        Args:
            perception: Reads the frames; rigs that take turns may share it.
            stack: What the camera shows.
            tone: Response curve.
            encoding: ``mono8`` or ``rgb8``.
            step: Smallest move of the lens [frames]: 1 shows recorded frames only, less blends neighbours.
            position: Where the lens is; left out: at the first frame.
            exposure_us: Exposure at the start [us]; frames look as recorded at `AS_RECORDED_US`.
            table: A^H's exposures; those of the paper's camera if left out.
            seed: Seed of the sensor's noise.

        Raises:
            DeviceError: A frame can't be read, or a value is out of range.
        """
        lens = stack_lens(stack, step)
        super().__init__(
            perception,
            encoding,
            lens=lens,
            table=table,
            position=position,
            tolerance_dioptres=settled_within(lens),
        )
        self._stack, self._noise_seed = stack, seed
        self._camera = StackCamera(
            self.clock,
            stack,
            tone=tone,
            encoding=encoding,
            step=step,
            exposure_min_us=self.table.t_min_us,
            exposure_max_us=self.table.t_max_us,
        )
        self._camera.open()
        self._seen: OrderedDict[tuple[float, float, Box | None], Percept] = OrderedDict()
        self.place(self._start, exposure_us)

    @property
    def frames(self) -> StackFrames:
        """The decoded frames."""
        return self._camera.frames

    def place(self, position: float, exposure_us: float) -> None:
        """Restart: the lens at rest at ``position``, no commands yet.

        Args:
            position: Where the lens is [frames].
            exposure_us: Exposure at the start [us].

        Raises:
            DeviceError: A value is out of range.
        """
        self._restart(position, REFERENCE_C)
        self._camera.set_trajectory(self._lens.trajectory)
        self._set_exposure(exposure_us)

    def _set_exposure(self, exposure_us: float) -> None:
        self._exposure_us = self._camera.set_exposure(exposure_us)

    def _look(self) -> Percept:
        place = self._state.position, self._exposure_us, self._metered
        known = self._seen.get(place)
        if known is None:
            self._camera.seed_noise(zlib.crc32(repr((*place[:2], self._noise_seed)).encode()))
            self._seen[place] = known = super()._look()
            if len(self._seen) > _PERCEPTS_KEPT:
                self._seen.popitem(last=False)
            return known
        self._seen.move_to_end(place)
        asked_ns = self.clock.now_ns()
        begun_ns = max(asked_ns, self._state.settled_at_ns)
        self.clock.wait_until(begun_ns + round(self._exposure_us * 1000))
        capture = self._counted(asked_ns, begun_ns, self._exposure_us, known.capture.gain_db)
        return replace(known, capture=capture, lens=self._state)
