"""Random disturbances: what differs between the plain twin and the world, many things at a time.

Training on them is known as domain randomisation (Tobin et al., "Domain Randomization for Transferring Deep
Neural Networks from Simulation to the Real World", IROS 2017). `stress.STRESSES` changes one thing at a time,
always by the same amount, for evaluation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dasha_ros.twin.stress import levels, light
from dasha_ros.twin.stress.point_spread import SHAPES

_SHARE = 0.2
"""Probability of each single disturbance."""
_MID_GREY = 100.0 / 255.0


@dataclass(frozen=True)
class Disturbance:
    """How a lens, a hand and a camera change the pictures of one view; the defaults change nothing."""

    point_spread: str = ""
    """Key of `point_spread.SHAPES`; empty: the even disc."""
    motion_px: float = 0.0
    """Length of the motion blur [px at 640]."""
    motion_degrees: float = 0.0
    """Its direction against the horizontal."""
    soft_px: float = 0.0
    """Radius of the blur that is left in focus [px at 640]."""
    distortion: float = 0.0
    """Radial shift at the corners, as a share of their distance from the middle."""
    corner: float = 1.0
    """Light in the corners, as a share of that in the middle."""
    noise: float = 1.0
    """Factor of the noise's deviation."""
    gamma: float = 1.0
    """Exponent of the response curve: level = light ** (1 / gamma)."""
    contrast: float = 0.0
    """Share of a sigmoid that is blended into the response curve, 0 to 1."""
    sharpening: float = 0.0
    """Strength of an unsharp mask of 1 px at 640."""
    jpeg: int = 0
    """Quality of compression, 0 to 100; 0: none."""
    exposure_ev: float = 0.0
    """What is left to a good exposure [EV]."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Disturbance:
        """A random one; at least one thing differs."""

        def perhaps(value: float, nothing: float) -> float:
            return float(value) if rng.random() < _SHARE else nothing

        while True:
            made = cls(
                point_spread=str(rng.choice(sorted(SHAPES))) if rng.random() < _SHARE else "",
                motion_px=round(perhaps(rng.uniform(1.0, 9.0), 0.0), 2),
                motion_degrees=round(float(rng.uniform(0.0, 180.0)), 1),
                soft_px=round(perhaps(rng.uniform(0.3, 1.8), 0.0), 2),
                distortion=round(perhaps(rng.uniform(-0.12, 0.06), 0.0), 3),
                corner=round(perhaps(rng.uniform(0.3, 0.9), 1.0), 2),
                noise=round(perhaps(2.0 ** rng.uniform(0.0, 2.2), 1.0), 2),
                gamma=round(perhaps(rng.uniform(1.2, 2.4), 1.0), 2),
                contrast=round(perhaps(rng.uniform(0.2, 0.8), 0.0), 2),
                sharpening=round(perhaps(rng.uniform(0.3, 1.5), 0.0), 2),
                jpeg=int(perhaps(float(rng.integers(15, 81)), 0.0)),
                exposure_ev=round(perhaps(rng.uniform(-2.0, 2.0), 0.0), 2),
            )
            if made != cls(motion_degrees=made.motion_degrees):
                return made

    @property
    def mid_grey_ev(self) -> float:
        """How much more exposure the view's EV 0 has than that of the plain picture [EV]."""
        # Where level**gamma is mid grey, a curve asks for less light than a linear sensor.
        return self.exposure_ev + (self.gamma - 1.0) * math.log2(_MID_GREY)

    def on_light(self, image: light.Image) -> light.Image:
        """The light on the sensor, shape (height, width)."""
        if self.distortion:
            image = light.distorted(image, self.distortion)
        if self.corner < 1.0:
            image = light.vignetted(image, self.corner)
        if self.soft_px:
            image = light.softened(image, self.soft_px)
        if self.motion_px:
            image = light.motion_blurred(image, self.motion_px, self.motion_degrees)
        return image

    def on_levels(self, frame: levels.Levels, random: np.random.Generator) -> levels.Levels:
        """A binned frame, shape (height, width).

        Args:
            frame: As the default sensor gives it.
            random: Draws the noise.
        """
        if self.noise > 1.0:
            frame = levels.noisier(frame, self.noise, random)
        if self.gamma != 1.0 or self.contrast:
            frame = levels.developed(frame, self.gamma, self.contrast)
        if self.sharpening:
            frame = levels.sharpened(frame, self.sharpening)
        return levels.compressed(frame, self.jpeg) if self.jpeg else frame
