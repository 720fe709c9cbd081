"""A camera under lamps, computed from the light of each row's own exposure: a model of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensMove
from dasha_ros.perception.quality.flicker import Flicker, FlickerWatch

AT_REST = LensMove("lens#1", 1)
ROWS, COLUMNS = 96, 128
_STEP_S = 1e-4
"""Light is summed in steps this long."""

Light = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Light at each moment [s], relative to its mean."""


def cosine(hz: float, depth: float, phase: float) -> Light:
    """Filament and most LED lamps."""
    return lambda t: 1.0 + depth * np.cos(2.0 * np.pi * hz * t + phase)


def rectified(hz: float, depth: float, phase: float) -> Light:
    """The absolute value of a sine, as behind a rectifier; its first harmonic has two thirds of the mean."""
    return lambda t: (1.0 - depth) + depth * np.pi / 2.0 * np.abs(np.sin(np.pi * hz * t + phase))


@dataclass
class Camera:
    """Takes pictures of a random scene; rows begin one after the other."""

    random: np.random.Generator
    exposure_s: float
    readout_s: float = 0.0
    """From the first row to the last."""
    brightness: float = 90.0
    """Mean grey level."""
    noise: float = 1.0
    """Standard deviation of a pixel [grey levels]."""
    gamma: float = 1.0
    scene: NDArray[np.float64] = field(init=False)
    things: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    """What moves: place and speed across the picture [widths, widths/s], top, size (shares), brightness."""

    def __post_init__(self) -> None:
        blobs = self.random.lognormal(0.0, 0.6, (12, 16))
        self.scene = np.kron(blobs / blobs.mean(), np.ones((ROWS // 12, COLUMNS // 16)))

    def picture(self, at_s: float, light: Light) -> NDArray[np.uint8]:
        """Take a picture whose first row begins at a time [s]."""
        steps = max(4, int(np.ceil(self.exposure_s / _STEP_S)))
        within = (np.arange(steps) + 0.5) / steps * self.exposure_s
        begins = at_s + np.arange(ROWS) / ROWS * self.readout_s
        lit = light(begins[:, None] + within[None, :]).mean(axis=1)
        seen = self.scene.copy()
        for place, speed, top, size, bright in self.things:
            left = int((place + speed * at_s) % 1.0 * COLUMNS)
            row, high, wide = int(top * ROWS), int(size * ROWS), int(size * COLUMNS)
            seen[row : row + high, left : left + wide] = bright
        level = np.clip(self.brightness / 255.0 * seen * lit[:, None], 0.0, None) ** (1.0 / self.gamma)
        return np.clip(255.0 * level + self.random.normal(0.0, self.noise, level.shape), 0, 255).astype(
            np.uint8
        )


def watched(
    camera: Camera, times_s: NDArray[np.float64], light: Light, jitter_s: float = 0.0
) -> Flicker | None:
    """What a watch sees in pictures of these times, whose stamps are wrong by ``jitter_s`` [s]."""
    watch = FlickerWatch()
    for number, at_s in enumerate(times_s):
        stamp_ns = round((at_s + camera.random.normal(0.0, jitter_s)) * 1e9)
        capture = CaptureInfo(
            stamp_ns, camera.exposure_s * 1e6, 0.0, NO_COMMAND, number, driver="camera#1", lens=AT_REST
        )
        watch.see(camera.picture(at_s, light), capture)
    return watch.seen


def preview_times(random: np.random.Generator, pictures: int, rate_hz: float = 2.0) -> NDArray[np.float64]:
    """Moments as `freshness.preview` chooses them: a period apart, give or take 25 ms."""
    return np.arange(pictures) / rate_hz + random.uniform(-0.025, 0.025, pictures) + random.uniform(0.0, 9.0)


@dataclass(frozen=True)
class Case:
    """Pictures, and what is true of their light."""

    camera: Camera
    light: Light
    hz: float = 0.0
    """0: it does not flicker with the mains."""
    jitter_s: float = 0.0

    def outcome(self, pictures: int, rate_hz: float = 2.0) -> str:
        """``right``, ``wrong`` or ``none``: what a watch says after so many pictures."""
        times_s = preview_times(self.camera.random, pictures, rate_hz)
        seen = watched(self.camera, times_s, self.light, self.jitter_s)
        if seen is None:
            return "none"
        return "right" if seen.hz == self.hz else "wrong"


def any_camera(random: np.random.Generator, shortest_s: float = 2e-4, longest_s: float = 8e-3) -> Camera:
    """Global or rolling shutter, any exposure [s], brightness, noise; linear or with a gamma of 2.2."""
    return Camera(
        random,
        float(np.exp(random.uniform(np.log(shortest_s), np.log(longest_s)))),
        float(random.choice([0.0, random.uniform(5e-3, 33e-3)])),
        float(random.uniform(40.0, 120.0)),
        float(random.uniform(0.5, 6.0)),
        float(random.choice([1.0, 2.2])),
    )


def lamp(random: np.random.Generator, depth: float | None = None) -> tuple[Light, float]:
    """A lamp on mains that are off by up to 0.1 % or so, and the name of its frequency."""
    hz = float(random.choice([100.0, 120.0]))
    shape = (cosine, rectified)[int(random.integers(2))]
    true_hz = hz * (1.0 + float(np.clip(random.normal(0.0, 5e-4), -1e-3, 1e-3)))
    return shape(true_hz, random.uniform(0.05, 0.9) if depth is None else depth, random.uniform(0.0, 6.3)), hz


def _thing(
    random: np.random.Generator, least: float, most: float
) -> tuple[float, float, float, float, float]:
    size = float(random.uniform(least, most))
    return (
        float(random.uniform(0.0, 1.0)),
        float(random.uniform(-0.5, 0.5)),
        float(random.uniform(0.0, 1.0 - size)),
        size,
        float(random.uniform(0.0, 3.0)),
    )


def lamps(random: np.random.Generator) -> Case:
    """A lamp of any depth."""
    return Case(any_camera(random), *lamp(random))


def dim_lamps(random: np.random.Generator) -> Case:
    """A lamp whose light changes by 5 %."""
    return Case(any_camera(random), *lamp(random, 0.05))


def late_stamps(random: np.random.Generator) -> Case:
    """A lamp, and stamps that are off by half a millisecond."""
    return Case(any_camera(random), *lamp(random), jitter_s=5e-4)


def lamps_and_things(random: np.random.Generator) -> Case:
    """A lamp, and something that moves through the picture."""
    return replace(things(random), **dict(zip(("light", "hz"), lamp(random), strict=True)))


def long_exposures(random: np.random.Generator) -> Case:
    """A lamp, and exposures of 0.8 to 4 flickers, which show little of it."""
    return Case(any_camera(random, 8e-3, 40e-3), *lamp(random))


def steady(random: np.random.Generator) -> Case:
    """Daylight, and the sensor's noise."""
    return Case(any_camera(random), np.ones_like)


def things(random: np.random.Generator) -> Case:
    """Daylight, and something that moves through the picture."""
    camera = any_camera(random)
    camera.things = [_thing(random, 0.1, 0.45) for _ in range(int(random.integers(1, 3)))]
    return Case(camera, np.ones_like)


def large_things(random: np.random.Generator) -> Case:
    """Daylight, and something that moves and fills half of the picture or more."""
    camera = any_camera(random)
    camera.things = [_thing(random, 0.5, 1.0)]
    return Case(camera, np.ones_like)


def switched(random: np.random.Generator) -> Case:
    """A person switches a light, once to three times."""
    at_s, lit = np.sort(random.uniform(0.0, 20.0, int(random.integers(1, 4)))), random.uniform(0.2, 3.0)
    return Case(any_camera(random), lambda t: np.where(np.searchsorted(at_s, t) % 2 == 0, 1.0, lit))


def clouds(random: np.random.Generator) -> Case:
    """Light that comes and goes within 2.5 to 50 s."""
    depth, hz, phase = random.uniform(0.02, 0.6), random.uniform(0.02, 0.4), random.uniform(0.0, 6.3)
    return Case(any_camera(random), cosine(hz, depth, phase))


def television(random: np.random.Generator) -> Case:
    """The light of a screen, another one 25 times a second."""
    moments = np.arange(0.0, 40.0, 0.04)
    levels = 1.0 + 0.3 * random.uniform(-1.0, 1.0, moments.size)
    return Case(any_camera(random), lambda t: np.interp(t, moments, levels))


def chance(random: np.random.Generator) -> Case:
    """Light that wanders by 5 % every tenth of a second."""
    moments = np.arange(0.0, 40.0, 0.1)
    levels = np.exp(np.cumsum(random.normal(0.0, 0.05, moments.size)))
    return Case(any_camera(random), lambda t: np.interp(t, moments, levels))


LAMPS = (lamps, dim_lamps, late_stamps, lamps_and_things, long_exposures)
OTHERS = (steady, things, large_things, switched, clouds, television, chance)


def rates(make: Callable[[np.random.Generator], Case], cases: int, pictures: int) -> dict[str, int]:
    """How many of so many cases a watch sees right, wrong, or not at all."""
    name = sum(make.__name__.encode())
    outcomes = [make(np.random.default_rng([name, seed])).outcome(pictures) for seed in range(cases)]
    return {outcome: outcomes.count(outcome) for outcome in ("right", "wrong", "none")}


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for scenario in (*LAMPS, *OTHERS):
        told = {pictures: rates(scenario, wanted, pictures) for pictures in (12, 24)}
        print(f"{scenario.__name__}: {scenario.__doc__}", told, flush=True)
