"""Lenses in other units than the default one: a liquid lens in dioptres, and a motor that counts steps."""

from __future__ import annotations

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens import LinearLens

DIOPTRES = LinearLens("liquid", "D", -2.0, 3.0, follows=LensDrive(-2.0, 3.0, step=0.001, hysteresis=0.01))
"""-2 to 3 D; greater positions focus nearer."""
STEPS = LinearLens(
    "motor",
    "steps",
    0.0,
    1023.0,
    follows=LensDrive(0.0, 1023.0, step=1.0, hysteresis=2.0, time_constant_s=0.05),
    dioptres_per_unit=-0.006,
    infinity_position=900.0,
)
"""0 to 1023 steps; greater positions focus farther, 5.4 D at 0."""
