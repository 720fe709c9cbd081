"""Takes the pictures of a blind calibration: coarse over the whole range, fine up and down, and of moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.calibration.blind.pictures import Image, Shot, levels
from dasha_ros.devices.calibration.profile import CalibrationError
from dasha_ros.devices.calibration.scan import patient_capture
from dasha_ros.devices.camera import Camera, CameraLimits
from dasha_ros.devices.lens import Lens
from dasha_ros.freshness.clock import Clock

Report = Callable[[str, int, int], None]

COARSE, FINE = 40, 17
"""Positions of the scan over the whole range, and of each fine one."""
PICTURES = 2
"""Pictures at a position: two of a still scene are equal but for noise."""
GUARD_S = 0.15
"""Rest after a move while nobody knows how long one takes [s]; more if the lens itself asks for more."""
MOVES = 3
"""How often a move is watched, each time at other moments."""
WATCHED_S = 0.8
"""How long a move is watched at least [s]."""
METERED, METER_TOLERANCE, METER_STEPS = 0.4, 0.2, 10
CLIPPED_MAX, CLIPPED_WORST = 0.01, 0.05
"""Share of white pixels that does no harm, and that can be borne."""
LIT_MIN = 0.08
"""Mean level below which a picture is too dark."""
_CLIPPED = 0.98
_FRAME_S = 0.02
"""Time between two pictures of a move at least [s]."""


def _unheard(what: str, done: int, total: int) -> None:
    """Nobody hears of the progress."""


@dataclass(frozen=True, slots=True)
class Move:
    """Pictures of a move, in the order of their moments."""

    moments_s: NDArray[np.float64]
    """Middle of each exposure after the command [s]."""
    pictures: tuple[Image, ...]


class BlindScan:
    """Moves a lens and takes pictures.

    Args:
        camera: Open.
        lens: Open.
        clock: The camera's.
        limits: What the camera can do, as its `open` told.
        tried: Least and greatest position to try.
        report: Hears of the progress.
    """

    def __init__(
        self,
        camera: Camera,
        lens: Lens,
        clock: Clock,
        limits: CameraLimits,
        *,
        tried: tuple[float, float],
        report: Report = _unheard,
    ) -> None:
        self._camera, self._lens, self._clock, self._limits = camera, lens, clock, limits
        self._tried, self._report = tried, report

    def meter(self) -> float:
        """Set an exposure that suits the scene, and return it [us].

        Raises:
            CalibrationError: There is none.
            DeviceError: The camera failed.
        """
        limits = self._limits
        exposure_us = self._camera.set_exposure(limits.nearest_exposure_us(10_000.0))
        too_long = math.inf
        mean = clipped = 0.0
        for _ in range(METER_STEPS):
            picture = self._picture(0)
            mean, clipped = float(picture.mean()), float((picture > _CLIPPED).mean())
            if clipped > CLIPPED_MAX:
                too_long, factor = exposure_us, 0.7
            elif mean > METERED * (1.0 - METER_TOLERANCE):
                return exposure_us
            else:
                factor = min(METERED / max(mean, 0.01), 10.0)
            # Where lamps or windows clip first, the rest may stay darker.
            wanted = limits.nearest_exposure_us(exposure_us * factor)
            if wanted == exposure_us or (wanted >= too_long and mean > LIT_MIN):
                break
            exposure_us = self._camera.set_exposure(limits.nearest_exposure_us(min(wanted, 0.8 * too_long)))
        if mean < LIT_MIN or clipped > CLIPPED_WORST:
            raise CalibrationError(
                f"at {exposure_us:g} us the picture shows {100 * mean:.0f} % of white and"
                f" {100 * clipped:.0f} % of it is clipped: change the light, or give the exposure yourself"
            )
        return exposure_us

    def coarse(self) -> list[Shot]:
        """Pictures over all positions that may be tried, upwards."""
        low, high = self._tried
        return self._scan(np.linspace(low, high, COARSE), "whole range")

    def fine(self, low: float, high: float) -> tuple[list[Shot], list[Shot]]:
        """Pictures up and down between two positions; all moves of a direction approach from one side."""
        positions = np.linspace(low, high, FINE)
        margin = 2.0 * (high - low) / (FINE - 1)
        self._approach(max(self._tried[0], low - margin))
        up = self._scan(positions, "up")
        self._approach(min(self._tried[1], high + margin))
        return up, self._scan(positions[::-1], "down")

    def climb(self, positions: NDArray[np.float64], margin: float) -> list[tuple[Image, ...]]:
        """Pictures at rising positions, each approached from below.

        Args:
            positions: Where.
            margin: How far below the first the lens goes before, so that its play is taken up.
        """
        self._approach(float(positions[0]) - margin)
        seen = []
        for number, position in enumerate(positions, 1):
            _, rest_ns = self._go(float(position))
            seen.append(self._pictures(rest_ns))
            self._report("steps", number, len(positions))
        return seen

    def watch(self, start: float, end: float, name: str) -> Move:
        """Take pictures while the lens moves, several times, each time at other moments."""
        seen: list[tuple[float, Image]] = []
        for number in range(MOVES):
            rest_s, rest_ns = self._go(start)
            self._picture(rest_ns)
            commanded_ns = self._clock.now_ns()
            reading = self._lens.move(end)
            watched_s = max(WATCHED_S, 2.0 * max(reading.settle_s, rest_s))
            moment_s = 0.0
            not_before = commanded_ns + round(_FRAME_S * number / MOVES * 1e9)
            while moment_s < watched_s:
                frame = patient_capture(self._camera, not_before)
                moment_s = (frame.begun_ns - commanded_ns) / 1e9 + frame.exposure_us / 2e6
                seen.append((moment_s, levels(frame)))
                # More pictures early, when the lens moves, than late.
                not_before = frame.begun_ns + round(max(_FRAME_S, 0.15 * moment_s) * 1e9)
            self._report(name, number + 1, MOVES)
        seen.sort(key=lambda item: item[0])
        return Move(np.array([moment for moment, _ in seen]), tuple(picture for _, picture in seen))

    def _approach(self, position: float) -> None:
        """Move where no picture is taken, and rest there, so that the next move begins there."""
        _, rest_ns = self._go(position)
        self._clock.wait_until(rest_ns)

    def _go(self, position: float) -> tuple[float, int]:
        """Move; how long the lens is given to rest [s], and when it rests [ns].

        Pictures wait for that themselves: a camera that counts frames begins to count when it is asked.
        """
        low, high = self._tried
        reading = self._lens.move(float(min(max(position, low), high)))
        rest_s = max(reading.settle_s, GUARD_S)
        return rest_s, self._clock.now_ns() + round(rest_s * 1e9)

    def _scan(self, positions: NDArray[np.floating], name: str) -> list[Shot]:
        shots: list[Shot] = []
        for number, position in enumerate(positions, 1):
            _, rest_ns = self._go(float(position))
            if not shots or self._lens.read().position != shots[-1].position:
                pictures = self._pictures(rest_ns)
                # Read again: a motor says where it really stopped.
                shots.append(Shot(self._lens.read().position, pictures))
            self._report(name, number, len(positions))
        return shots

    def _pictures(self, not_before_ns: int) -> tuple[Image, ...]:
        return tuple(self._picture(not_before_ns) for _ in range(PICTURES))

    def _picture(self, not_before_ns: int) -> Image:
        return levels(patient_capture(self._camera, not_before_ns))
