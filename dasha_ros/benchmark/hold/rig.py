"""A twin whose world changes while it is looked at, on a clock with a fixed time between two pictures."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.hold.sequence import START_M, Sequence
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.selection import Region
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

PERIOD_S = 1.0 / 15.0
"""Time between two pictures [s]: what a step of the graph takes on two cores (`docs/results/step.json`)."""
LIGHT_LX = 300.0
GREY = 85.0
"""Mean grey level from which on the first exposure is good."""
WIDTH, HEIGHT = WORKING_WIDTH_PX, 340
"""Of the pictures [px]."""


class Blind:
    """Stands in for encoder and detector: the place of the object is given, so nobody needs them."""

    id, name, size = "none", "none", 0
    labels: tuple[str, ...] = ()

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """No latent."""
        return np.zeros(0, np.float32)

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """No detections."""
        return []


def object_region(sequence: Sequence, perception: Perception, exposure_us: float) -> Region:
    """Where a detector finds the object of a sequence when it is sharp.

    Raises:
        ValueError: It does not find it.
    """
    rig = TwinRig(
        perception,
        _world(sequence, START_M, 1.0),
        exposure_us=exposure_us,
        binned=True,
        width=WIDTH,
        height=HEIGHT,
    )
    percept = rig.move(rig.lens.position(1.0 / START_M))
    found = percept.of({sequence.label})
    if not found:
        raise ValueError(f"the detector finds no {sequence.label} in the scene {sequence.scene}")
    shares = np.array(found[0].box) / np.array([percept.width, percept.height] * 2)
    return Region.of(np.clip(shares, 0.0, 1.0).tolist()) or Region(0.0, 0.0, 1.0, 1.0)


class HoldRig(TwinRig):
    """The twin at the start of a hold: well exposed, and focused on the object."""

    def __init__(self, sequence: Sequence, perception: Perception, seed: int) -> None:
        """Expose and focus; the sequence begins with the first `look`."""
        super().__init__(
            perception, _world(sequence, START_M, 1.0), seed=seed, binned=True, width=WIDTH, height=HEIGHT
        )
        self._sequence = sequence
        self.first = self.move(self.lens.position(1.0 / START_M))
        for exposure_us in np.geomspace(500.0, 64_000.0, 15):
            self.first = self.expose(float(exposure_us))
            if self.first.mean_grey >= GREY:
                break
        self._exposure_us = self.first.capture.exposure_us
        self._begun_ns = self._next_ns = self.clock.now_ns()

    def look(self, position: float, exposure_us: float) -> tuple[Percept, float]:
        """Command what changed, wait for the next picture, and take it.

        Returns:
            The picture, and the true radius of the object's blur in it [px at 640].
        """
        if exposure_us != self._exposure_us:
            self._exposure_us = exposure_us
            self._command_exposure(exposure_us)
        if position != self._state.commanded_position:
            self._command_lens(position)
        self._next_ns = max(self._next_ns + round(PERIOD_S * 1e9), self.clock.now_ns())
        self.clock.wait_until(self._next_ns)
        begin_s = self.seconds
        distance_m = self._sequence.distance_m(begin_s)
        brightness = self._sequence.brightness(begin_s, exposure_us / 1e6)
        self._camera.set_world(_world(self._sequence, distance_m, brightness))
        percept = self.observe()
        middle_ns = percept.capture.stamp_ns + round(percept.capture.exposure_us * 500)
        focus = self._lens.trajectory.at(middle_ns)
        return percept, abs(self.lens.blur_px(focus, 1.0 / distance_m))

    @property
    def seconds(self) -> float:
        """Time since the sequence began [s]."""
        return (self.clock.now_ns() - self._begun_ns) / 1e9


def _world(sequence: Sequence, distance_m: float, brightness: float) -> World:
    behind = load_scene(sequence.scene).resolved_distances(())[1:]
    return World(sequence.scene, LIGHT_LX * brightness, (distance_m, *behind))


Chooses = Callable[[Percept], float]
"""Says after each picture where the lens shall be."""
