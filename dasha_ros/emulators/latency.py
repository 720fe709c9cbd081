"""Measures on the emulators how much time the drivers add to the wire and the exposure.

``python -m dasha_ros.emulators.latency`` prints milliseconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.devices.varioptic.protocol import wire_seconds
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.lens.port import LensEmulator

MOVE_BYTES = 7 + 4 + 5 + 7
"""Write two registers, acknowledgement, read four registers, reply."""
EXPOSURE_US = 1_000.0
PREVIEW_RATE_HZ = 50.0


def lens_move_ms(count: int) -> list[float]:
    """Time of each of ``count`` moves on a board paced at 57600 baud, without the time on the wire."""
    with tempfile.TemporaryDirectory() as folder, LensEmulator(Path(folder) / "lens") as emulator:
        lens = VariopticLens(VariopticSettings(port=str(emulator.link)))
        lens.open()
        steps = iter(np.linspace(30.0, 60.0, count))
        times = _timed(lambda: lens.move(float(next(steps))), count)
        lens.close()
    return [ms - wire_seconds(MOVE_BYTES) * 1e3 for ms in times]


def capture_ms(count: int, width: int, height: int) -> list[float]:
    """Time of each of ``count`` triggered captures of pylon's test picture, without the exposure."""
    camera = PylonCamera(
        PylonSettings(width=width, height=height, exposure_us=EXPOSURE_US), attach=CameraBench().attach
    )
    camera.open()
    times = _timed(camera.capture, count)
    camera.close()
    return [ms - EXPOSURE_US / 1e3 for ms in times]


def preview_ages_ms(count: int, width: int, height: int) -> list[float]:
    """Age of each of ``count`` preview frames at 50 fps, from the start of a 10 ms exposure."""
    camera = PylonCamera(
        PylonSettings(width=width, height=height, exposure_us=10_000.0), attach=CameraBench().attach
    )
    camera.open()
    camera.start_preview(PREVIEW_RATE_HZ)
    ages = []
    for _ in range(count):
        frame = camera.latest(1.0)
        if frame is not None:
            ages.append((time.monotonic_ns() - frame.begun_ns) / 1e6)
    camera.close()
    return ages


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="dasha_ros.emulators.latency", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--height", type=int, default=1088)
    options = parser.parse_args(arguments)
    size = (options.width, options.height)
    print(f"one lens move is {wire_seconds(MOVE_BYTES) * 1e3:.2f} ms on the wire")
    _print("lens move, beyond the wire", lens_move_ms(options.count))
    _print("trigger to array, beyond the exposure", capture_ms(options.count, *size))
    _print("age of a preview frame at 50 fps", preview_ages_ms(options.count, *size))


def _timed(call: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        call()
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def _print(what: str, milliseconds: list[float]) -> None:
    p50, p95, worst = np.percentile(milliseconds, (50, 95, 100))
    print(f"{what}: p50 {p50:.2f} ms, p95 {p95:.2f} ms, most {worst:.2f} ms, {len(milliseconds)} times")


if __name__ == "__main__":
    main()
