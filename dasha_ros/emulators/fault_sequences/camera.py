"""Random sequences of faults against the pylon back end on pylon's emulated camera."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.camera.pictures import PictureFeed
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally

EVENTS = 12
WIDTH, HEIGHT = 64, 48
MARGIN_S = 0.1
ATTEMPTS_TO_RECOVER = 5
EXPOSURES_US = (100.0, 1_000.0, 5_000.0, 20_000.0)


class CameraSoak:
    """A bench, and a fresh driver for every sequence."""

    def __init__(self) -> None:
        self._bench = CameraBench()
        self._painted = 0
        self._feed = PictureFeed(self._paint)

    def __enter__(self) -> CameraSoak:
        """Nothing to start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clean up."""
        self._feed.close()

    def play(self, random: Random, tally: Tally) -> None:
        """Play one sequence; see `promises.Sequencer`."""
        bench = self._bench
        bench.held, bench.announces_removal, bench.swallowed_triggers = False, True, 0
        bench.plug()
        _Sequence(bench, self._feed, lambda: self._painted, random, tally).play()

    def _paint(self, exposure_us: float, gain_db: float) -> NDArray[np.uint8]:
        """A picture that says its number: a frame that shows another one is stale."""
        self._painted += 1
        return numbered(self._painted)


def numbered(number: int) -> NDArray[np.uint8]:
    """A picture whose first four pixels are ``number``."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[0, :4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
    return picture


class _Sequence:
    def __init__(
        self, bench: CameraBench, feed: PictureFeed, painted: Callable[[], int], random: Random, tally: Tally
    ) -> None:
        self._bench, self._random, self._tally, self._painted = bench, random, tally, painted
        settings = PylonSettings(width=WIDTH, height=HEIGHT, margin_s=MARGIN_S, exposure_us=1_000.0)
        self._camera = PylonCamera(settings, attach=bench.attach, listener=feed)
        self._open = False
        self._wanted_us = settings.exposure_us

    def play(self) -> None:
        events = (
            (self._expose, 8),
            (self._preview, 2),
            (self._unplug, 2),
            (self._unplug_unnoticed, 1),
            (self._silence, 1),
            (self._damage, 2),
            (self._kill_stream, 1),
            (self._held, 1),
            (self._abort, 1),
            (self._hostile, 1),
        )
        doings, weights = zip(*events, strict=True)
        for doing in self._random.choices(doings, weights, k=EVENTS):
            doing()
        self._recover()
        self._camera.close()

    def _expose(self) -> bool:
        exposure_us = self._random.choice(EXPOSURES_US)
        return self._call("exposure", lambda: self._check_exposed(exposure_us))

    def _check_exposed(self, exposure_us: float) -> None:
        self._camera.set_exposure(exposure_us)
        # From here on every frame is made by it, also after a loss.
        self._wanted_us = exposure_us
        self._check(self._camera.capture(), "capture")

    def _capture(self) -> bool:
        return self._call("capture", lambda: self._check(self._camera.capture(), "capture"))

    def _check(self, frame: Frame | None, what: str) -> None:
        if frame is None:
            raise PromiseBroken(f"{what} gave nothing, and nobody aborted it")
        if frame.exposure_us != self._wanted_us:
            raise PromiseBroken(f"a frame of {frame.exposure_us} us after a command of {self._wanted_us} us")
        if not np.array_equal(frame.pixels, numbered(self._painted())):
            raise PromiseBroken("a frame is not the picture of its own exposure: it is stale")

    def _preview(self) -> None:
        def run_freely() -> None:
            self._camera.start_preview(200.0)
            for _ in range(3):
                frame = self._camera.latest(1.0)
                if frame is not None and frame.exposure_us != self._wanted_us:
                    raise PromiseBroken(f"a preview of {frame.exposure_us} us, {self._wanted_us} us in force")
            self._camera.stop_preview()

        self._call("preview", run_freely)

    def _unplug(self) -> None:
        self._tally.faults["unplug"] += 1
        self._bench.unplug()
        for _ in range(self._random.choice((0, 1, 5))):
            self._expose()
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
        self._camera.close()
        self._open = False
        self._bench.held = True
        if self._capture():
            raise PromiseBroken("a camera that another process holds was opened")
        self._bench.held = False

    def _abort(self) -> None:
        self._camera.abort()
        self._capture()

    def _hostile(self) -> None:
        exposure_us = self._random.choice((float("nan"), float("inf"), 0.0, -5.0, 99.0, 3_000_001.0))
        try:
            self._camera.set_exposure(exposure_us)
        except (ValueError, DeviceError):
            return
        raise PromiseBroken(f"an exposure of {exposure_us} us was accepted")

    def _recover(self) -> None:
        self._bench.swallowed_triggers = 0
        for _ in range(ATTEMPTS_TO_RECOVER):
            if self._capture():
                self._tally.recoveries += 1
                return
        raise PromiseBroken(f"no recovery in {ATTEMPTS_TO_RECOVER} attempts with the camera plugged in")

    def _call(self, name: str, call: Callable[[], object]) -> bool:
        with self._tally.timed():
            try:
                if not self._open:
                    self._camera.open()
                    self._open = True
                call()
            except DeviceLost:
                self._camera.close()
                self._open = False
                outcome = "lost"
            except DeviceError:
                outcome = "failed"
            else:
                outcome = "done"
        self._tally.calls[f"{name} {outcome}"] += 1
        return outcome == "done"
