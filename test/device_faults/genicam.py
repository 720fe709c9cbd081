"""Cables, freezes, lost packets and rivals, on Aravis' own fake camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from random import Random

import numpy as np
from fake_genicam import FakeGenicam, fake_genicam
from numpy.typing import NDArray

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceError
from dasha_ros.emulators.fault_sequences.exposing import CameraSequence
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally

EVENTS = 8
EXPOSURES_US = (2_000.0, 5_000.0, 10_000.0, 30_000.0)
SETTINGS = AravisSettings(width=64, height=48, margin_s=0.15, exposure_us=EXPOSURES_US[0])
LOST_PER_THOUSAND = 60
"""Packets that get lost on a bad cable: a frame here is of a few."""


class GenicamFaults:
    """Plays sequences on one fake camera, each with a new driver."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> GenicamFaults:
        """Start the fake.

        Raises:
            pytest.skip.Exception: It is not installed.
        """
        self._fake = self._stack.enter_context(fake_genicam())
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self._stack.close()

    def play(self, random: Random, tally: Tally) -> None:
        """Play one sequence; see `promises.Sequencer`."""
        _Sequence(self._fake, random, tally).play(EVENTS)


class _Sequence(CameraSequence):
    def __init__(self, fake: FakeGenicam, random: Random, tally: Tally) -> None:
        self._fake = fake
        self._camera = AravisCamera(SETTINGS, find=fake.found)
        super().__init__(
            self._camera, random, tally, exposures_us=EXPOSURES_US, in_force_us=SETTINGS.exposure_us
        )

    def events(self) -> Sequence[tuple[Callable[[], object], int]]:
        return (
            (self.expose, 6),
            (self.attempt, 4),
            (self._unplug, 1),
            (self._freeze, 1),
            (self._restart, 1),
            (self._bad_cable, 1),
            (self._lose_trigger, 1),
            (self._rival, 1),
            (self.abort, 1),
            (self._hostile, 1),
        )

    def wrong(self, frame: Frame) -> str:
        count = _wrong_pixels(np.asarray(frame.pixels), self._wanted_us)
        return f"{count} pixels are damaged, or not of {self._wanted_us} us: {frame.pixels}" if count else ""

    def _unplug(self) -> None:
        self._tally.faults["unplug"] += 1
        self._fake.unplug()
        for _ in range(self._random.choice((0, 1, 2))):
            self.expose()
        self._fake.plug()

    def _freeze(self) -> None:
        self._tally.faults["freeze"] += 1
        self._fake.freeze()
        for _ in range(self._random.choice((0, 1, 2))):
            self.expose()
        self._fake.thaw()

    def _restart(self) -> None:
        self._tally.faults["restart"] += 1
        self._fake.unplug()
        self._fake.plug(0)

    def _bad_cable(self) -> None:
        self._tally.faults["lost packets"] += 1
        self._fake.unplug()
        self._fake.plug(LOST_PER_THOUSAND)

    def _lose_trigger(self) -> None:
        """The next trigger, or the next three, get lost on the way."""
        if not self._open:
            return
        self._tally.faults["lost trigger"] += 1
        camera = self._camera._device.camera
        camera.software_trigger = lambda: None
        for _ in range(self._random.choice((1, 3))):
            self.attempt()
        del camera.software_trigger

    def _rival(self) -> None:
        self._tally.faults["held by another program"] += 1
        self.close()
        rival = AravisCamera(SETTINGS, find=self._fake.found)
        try:
            rival.open()
            if self.call("open", lambda: None):
                raise PromiseBroken("the camera was opened twice")
        except DeviceError:
            self._tally.faults["held by another program"] -= 1
        finally:
            rival.close()

    def _hostile(self) -> None:
        exposure_us = self._random.choice((float("nan"), float("inf"), 0.0, -5.0, 1e12))
        try:
            self._camera.set_exposure(exposure_us)
        except DeviceError:
            return
        raise PromiseBroken(f"an exposure of {exposure_us} us was accepted")

    def end_faults(self) -> None:
        self._fake.thaw()
        if not self._fake.is_plugged or self._fake.lost_per_thousand:
            self._fake.unplug()
            self._fake.plug(0)


def _wrong_pixels(pixels: NDArray[np.uint8], exposure_us: float) -> int:
    """How many pixels are not what Aravis' fake paints at this exposure: a ramp along diagonals.

    Source: Aravis, ``arvfakecamera.c``: ``(x + y + frame) mod 255``, times ``1 + log10(exposure / 10 ms)``.
    """
    height, width = pixels.shape
    ramp = np.arange(width)[None, :] + np.arange(height)[:, None]
    scale = 1.0 + np.log10(exposure_us / 10_000.0)
    painted = (np.clip(scale * ((ramp + frame) % 255), 0.0, 255.0).astype(np.uint8) for frame in range(255))
    return min(int(np.count_nonzero(pixels != picture)) for picture in painted)
