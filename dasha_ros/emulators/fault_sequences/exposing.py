"""A sequence of faults against a camera: its exposures, and what its frames must be."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from random import Random

from dasha_ros.devices.camera import Camera, Frame
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally
from dasha_ros.emulators.fault_sequences.sequence import FaultSequence


class CameraSequence(FaultSequence):
    """Exposes and captures between the faults of one camera."""

    def __init__(
        self,
        camera: Camera,
        random: Random,
        tally: Tally,
        *,
        exposures_us: Sequence[float],
        in_force_us: float,
    ) -> None:
        """Nothing exposed yet.

        Args:
            camera: The driver.
            random: Draws everything.
            tally: Counts.
            exposures_us: Those that are commanded [us].
            in_force_us: The exposure that the driver opens with [us].
        """
        super().__init__(camera, random, tally)
        self._exposing, self._exposures_us, self._wanted_us = camera, exposures_us, in_force_us

    @abstractmethod
    def wrong(self, frame: Frame) -> str:
        """What is wrong with the picture of a frame; empty: nothing."""

    def expose(self) -> bool:
        """Command an exposure and take a frame."""
        exposure_us = self._random.choice(self._exposures_us)
        return self.call("exposure", lambda: self._check_exposed(exposure_us))

    def attempt(self) -> bool:
        """See `FaultSequence`."""
        return self.call("capture", self._capture)

    def abort(self) -> None:
        """Abort although nothing is captured, and take a frame."""
        self._exposing.abort()
        self.attempt()

    def _check_exposed(self, exposure_us: float) -> None:
        self._exposing.set_exposure(exposure_us)
        # From now on every frame has this exposure, even after a loss.
        self._wanted_us = exposure_us
        self._capture()

    def _capture(self) -> None:
        frame = self._exposing.capture()
        if frame is None:
            raise PromiseBroken("capture returned nothing although nobody aborted it")
        if frame.exposure_us != self._wanted_us:
            raise PromiseBroken(f"a frame of {frame.exposure_us} us after a command of {self._wanted_us} us")
        if wrong := self.wrong(frame):
            raise PromiseBroken(wrong)
