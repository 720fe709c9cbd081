"""A simulated camera and lens for blind calibrations, on any scene, and what may be wrong with a scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from dasha_ros.devices.calibration.blind.measure import BlindCalibration, measure
from dasha_ros.devices.calibration.blind.scan import BlindScan
from dasha_ros.devices.camera import Frame
from dasha_ros.devices.lens import LensReading
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.thin_lens import LinearLens
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

Spoil = Callable[[np.ndarray, int], np.ndarray]
"""Changes a picture (grey levels, 0..255) with the number of the picture."""


def toy_lens(
    dioptres_per_step: float,
    steps: float = 250.0,
    *,
    hysteresis: float = 0.0,
    time_constant_s: float = 0.02,
    resolution: float = 1.0,
) -> LinearLens:
    """A lens in steps that nobody has calibrated; it reaches from a little beyond infinity to near."""
    return LinearLens(
        "toy",
        "steps",
        0.0,
        steps,
        dioptres_per_unit=dioptres_per_step,
        infinity_position=steps * (0.1 if dioptres_per_step > 0 else 0.9),
        follows=LensDrive(
            0.0, steps, step=resolution, hysteresis=hysteresis, time_constant_s=time_constant_s
        ),
    )


class BlindBench:
    """A camera that sees what the lens does; the lens keeps its map for itself."""

    def __init__(
        self,
        scene: str,
        lens: LensProfile,
        *,
        distances_m: tuple[float, ...] = (),
        width: int = 320,
        seed: int = 0,
        spoil: Spoil | None = None,
        stuck: bool = False,
    ) -> None:
        self.clock, self.model, self._spoil, self._stuck = ManualClock(), lens, spoil, stuck
        world = World(scene=scene, illuminance_lx=300.0, distances_m=distances_m)
        self._camera = TwinCamera(
            self.clock, lens, world=world, width=width, height=width * 17 // 32, seed=seed
        )
        self._twin = TwinLens(self.clock, lens)
        self.settle_s = self._twin.info.settle_s
        self.info = dataclasses.replace(
            self._twin.info, profile="", map_positions=(), map_dioptres=(), blur_px_per_dioptre=0.0
        )
        self.limits = self._camera.open()
        self._twin.open()
        self.pictures = 0
        self.moves: list[float] = []

    @property
    def px_per_step(self) -> float:
        """The truth [px at 640]."""
        return abs(self.model.blur_px(self.model.dioptres(1.0), self.model.dioptres(0.0)))

    def planes(self) -> tuple[float, ...]:
        """Distances of everything that is seen [m]."""
        world = self._camera.world
        return tuple(load_scene(world.scene).resolved_distances(world.distances_m))

    def calibrate(self, *, settling: bool = False, **tried: float) -> BlindCalibration:
        """As the command does it."""
        within = tried.get("low", self.info.position_min), tried.get("high", self.info.position_max)
        scan = BlindScan(self, self, self.clock, self.limits, tried=within)
        scan.meter()
        return measure(scan, self.info, within, settling=settling)

    def set_exposure(self, exposure_us: float) -> float:
        return self._camera.set_exposure(exposure_us)

    def capture(self, not_before_ns: int = 0, *_: Any) -> Frame | None:
        frame = self._camera.capture(not_before_ns)
        self.pictures += 1
        if frame is None or self._spoil is None:
            return frame
        pixels = self._spoil(frame.pixels.astype(np.float64), self.pictures)
        return dataclasses.replace(frame, pixels=np.clip(pixels, 0, 255).astype(np.uint8))

    def move(self, position: float) -> LensReading:
        self.moves.append(position)
        reading = self._twin.move(position)
        if not self._stuck:
            self._camera.set_trajectory(self._twin.trajectory)
        return reading

    def read(self) -> LensReading:
        return self._twin.read()


def wall(rng: np.random.Generator) -> Spoil:
    """A blank wall, lit from one side."""
    level, slope, noise = rng.uniform(40, 180), rng.uniform(-0.3, 0.3), rng.uniform(0.5, 3.0)

    def paint(pixels: np.ndarray, number: int) -> np.ndarray:
        shade = 1.0 + slope * np.linspace(-1, 1, pixels.shape[1])[None, :]
        return level * shade + np.random.default_rng(number).normal(0.0, noise, pixels.shape)

    return paint


def movement(rng: np.random.Generator) -> Spoil:
    """A camera that is carried about, or a scene that passes by: some pixels from picture to picture."""
    speed, heading = rng.uniform(1.0, 8.0), rng.uniform(0.0, 2.0 * np.pi)
    turn = rng.uniform(-0.3, 0.3)

    def shift(pixels: np.ndarray, number: int) -> np.ndarray:
        angles = heading + turn * np.arange(number)
        by = np.rint(speed * np.array([np.sin(angles).sum(), np.cos(angles).sum()])).astype(int)
        return np.roll(pixels, tuple(by), axis=(0, 1))

    return shift


def flicker(rng: np.random.Generator) -> Spoil:
    """A lamp on the mains: the whole picture breathes, or bands of a rolling shutter pass over it."""
    depth, beat = rng.uniform(0.06, 0.4), rng.uniform(0.7, 2.6)
    bands = rng.choice([0.0, rng.uniform(1.0, 4.0)])

    def dim(pixels: np.ndarray, number: int) -> np.ndarray:
        rows = np.linspace(0.0, 2.0 * np.pi * bands, pixels.shape[0])[:, None]
        return pixels * (1.0 - depth * (0.5 + 0.5 * np.sin(beat * number + rows)))

    return dim
