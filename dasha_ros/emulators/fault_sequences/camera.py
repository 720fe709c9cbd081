"""Random faults for the pylon back end, on pylon's emulated camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.camera.pictures import PictureFeed
from dasha_ros.emulators.fault_sequences.exposing import CameraSequence
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally

EVENTS = 12
WIDTH, HEIGHT = 64, 48
MARGIN_S = 0.1
EXPOSURES_US = (100.0, 1_000.0, 5_000.0, 20_000.0)


class CameraFaults:
    """Plays sequences on one bench, each with a new driver."""

    def __init__(self) -> None:
        self._bench = CameraBench()
        self._painted = 0
        self._feed = PictureFeed(self._paint)

    def __enter__(self) -> CameraFaults:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Clean up."""
        self._feed.close()

    def play(self, random: Random, tally: Tally) -> None:
        """Play one sequence; see `promises.Sequencer`."""
        bench = self._bench
        bench.held, bench.announces_removal, bench.swallowed_triggers = False, True, 0
        bench.plug()
        _Sequence(bench, self._feed, lambda: self._painted, random, tally).play(EVENTS)

    def _paint(self, exposure_us: float, gain_db: float) -> NDArray[np.uint8]:
        """A picture that shows its number, so that a stale frame shows another one."""
        self._painted += 1
        return numbered(self._painted)


def numbered(number: int) -> NDArray[np.uint8]:
    """A picture whose first four pixels encode ``number``."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[0, :4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
    return picture


class _Sequence(CameraSequence):
    def __init__(
        self, bench: CameraBench, feed: PictureFeed, painted: Callable[[], int], random: Random, tally: Tally
    ) -> None:
        self._bench, self._painted = bench, painted
        settings = PylonSettings(width=WIDTH, height=HEIGHT, margin_s=MARGIN_S, exposure_us=1_000.0)
        self._camera = PylonCamera(settings, attach=bench.attach, listener=feed)
        super().__init__(
            self._camera, random, tally, exposures_us=EXPOSURES_US, in_force_us=settings.exposure_us
        )

    def events(self) -> Sequence[tuple[Callable[[], object], int]]:
        return (
            (self.expose, 8),
            (self._preview, 2),
            (self._unplug, 2),
            (self._unplug_unnoticed, 1),
            (self._silence, 1),
            (self._damage, 2),
            (self._kill_stream, 1),
            (self._held, 1),
            (self.abort, 1),
            (self._hostile, 1),
        )

    def wrong(self, frame: Frame) -> str:
        is_fresh = np.array_equal(frame.pixels, numbered(self._painted()))
        return "" if is_fresh else "a frame is stale: it shows an earlier picture"

    def _preview(self) -> None:
        def run_freely() -> None:
            self._camera.start_preview(200.0)
            for _ in range(3):
                frame = self._camera.latest(1.0)
                if frame is not None and frame.exposure_us != self._wanted_us:
                    raise PromiseBroken(f"a preview of {frame.exposure_us} us, after {self._wanted_us} us")
            self._camera.stop_preview()

        self.call("preview", run_freely)

    def _unplug(self) -> None:
        self._tally.faults["unplug"] += 1
        self._bench.unplug()
        for _ in range(self._random.choice((0, 1, 5))):
            self.expose()
        self._bench.plug()

    def _unplug_unnoticed(self) -> None:
        self._tally.faults["unplug that pylon misses"] += 1
        self._bench.announces_removal = False
        self._unplug()
        self._bench.announces_removal = True

    def _silence(self) -> None:
        self._tally.faults["silence"] += 1
        self._bench.swallowed_triggers = self._random.choice((1, 3, 4))

    def _damage(self) -> None:
        if self._open:
            self._tally.faults["damaged frames"] += 1
            self._bench.damage_frames(self._random.choice((1, 2)))

    def _kill_stream(self) -> None:
        if self._open:
            self._tally.faults["stream death"] += 1
            self._bench.kill_stream()

    def _held(self) -> None:
        self._tally.faults["held by another process"] += 1
        self.close()
        self._bench.held = True
        if self.attempt():
            raise PromiseBroken("a camera that another process holds was opened")
        self._bench.held = False

    def _hostile(self) -> None:
        exposure_us = self._random.choice((float("nan"), float("inf"), 0.0, -5.0, 99.0, 3_000_001.0))
        try:
            self._camera.set_exposure(exposure_us)
        except (ValueError, DeviceError):
            return
        raise PromiseBroken(f"an exposure of {exposure_us} us was accepted")

    def end_faults(self) -> None:
        self._bench.swallowed_triggers = 0
