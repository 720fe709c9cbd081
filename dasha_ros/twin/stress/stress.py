"""The stresses by name: each changes one thing of what the twin shows, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from dasha_ros.twin.stress import levels, light


@dataclass(frozen=True)
class Stress:
    """What differs from the plain twin."""

    words: str
    """What it is, for a table."""
    point_spread: str = ""
    """Key of `point_spread.SHAPES`; empty: the even disc."""
    light: Callable[[light.Image], light.Image] | None = None
    """Applied to the light on the sensor."""
    levels: Callable[[levels.Levels, np.random.Generator], levels.Levels] | None = None
    """Applied to the frame."""
    exposure_ev: float = 0.0
    """A^H hands over so much more exposure [EV]."""
    blur_scale: float = 1.0
    """How many times as much the lens blurs for the same defocus."""
    is_known: bool = True
    """Whether the lens's map tells policies of it."""
    tilt_dioptres: float = 0.0
    """The plane is nearer by so much at the right edge of the picture than at the left one [1/m]."""
    speed_m_s: float = 0.0
    """The object goes away from the camera, and stops before it comes nearer than `NEAREST_M` [m/s]."""
    breathing: float = 0.0
    """The picture grows by this share over the lens's range."""
    flicker: float = 0.0
    """Amplitude of the light's swing from frame to frame, as a share."""


def _jpeg(frame: levels.Levels, _random: np.random.Generator) -> levels.Levels:
    return levels.compressed(frame, 20)


def _srgb(frame: levels.Levels, _random: np.random.Generator) -> levels.Levels:
    return levels.developed_srgb(frame)


def _noise(factor: float) -> Callable[[levels.Levels, np.random.Generator], levels.Levels]:
    return lambda frame, random: levels.noisier(frame, factor, random)


BASE = "base"
NEAREST_M = 0.3
"""An object that comes stops here [m]: objects are expected from here on."""
STRESSES: dict[str, Stress] = {
    BASE: Stress("nothing"),
    "gaussian": Stress("Gaussian point spread", point_spread="gaussian"),
    "hexagon": Stress("hexagonal aperture", point_spread="hexagon"),
    "ring": Stress("ring, as of a mirror lens", point_spread="ring"),
    "cat_eye": Stress("cat's eye, clipped by rims", point_spread="cat_eye"),
    "spherical": Stress("spherical aberration, bright rim", point_spread="spherical"),
    "motion_6": Stress("motion blur of 6 px", light=partial(light.motion_blurred, length_px=6.0)),
    "motion_10": Stress("motion blur of 10 px", light=partial(light.motion_blurred, length_px=10.0)),
    "soft": Stress("a lens never sharper than 1.5 px", light=partial(light.softened, radius_px=1.5)),
    "distortion": Stress("barrel distortion of 10 %", light=partial(light.distorted, share=-0.1)),
    "vignetting": Stress("40 % of the light in the corners", light=partial(light.vignetted, corner=0.4)),
    "noise_2": Stress("2 times the noise", levels=_noise(2.0)),
    "noise_4": Stress("4 times the noise", levels=_noise(4.0)),
    "srgb": Stress("sRGB response curve", levels=_srgb),
    "jpeg_20": Stress("JPEG of quality 20", levels=_jpeg),
    "over_2": Stress("two stops over", exposure_ev=2.0),
    "under_2": Stress("two stops under", exposure_ev=-2.0),
    "flicker": Stress("light that swings by 10 % from frame to frame", flicker=0.1),
    "breathing": Stress("3 % of breathing", breathing=0.03),
    "tilt_0.3": Stress("plane tilted by 0.3 D over the picture", tilt_dioptres=0.3),
    "tilt_0.6": Stress("plane tilted by 0.6 D over the picture", tilt_dioptres=0.6),
    "moving_5": Stress("object goes away at 5 cm/s", speed_m_s=0.05),
    "moving_15": Stress("object goes away at 15 cm/s", speed_m_s=0.15),
    "moving_20": Stress("object goes away at 20 cm/s", speed_m_s=0.2),
    "coming_5": Stress("object comes at 5 cm/s", speed_m_s=-0.05),
    "coming_20": Stress("object comes at 20 cm/s", speed_m_s=-0.2),
    **{
        f"scale_{scale:g}_{'known' if is_known else 'unknown'}": Stress(
            f"{scale:g} times the blur, {'as' if is_known else 'unlike what'} the lens's map says",
            blur_scale=scale,
            is_known=is_known,
        )
        for is_known in (True, False)
        for scale in (0.25, 0.5, 2.0, 4.0)
    },
}
"""All of them, the plain twin first."""
