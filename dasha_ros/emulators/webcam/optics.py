"""The lens of the emulated webcam: a motor from infinity to 0.2 m in steps of 5."""

from __future__ import annotations

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.thin_lens import LinearLens

WEBCAM_LENS = LinearLens(
    "emulated webcam",
    "steps",
    0.0,
    250.0,
    follows=LensDrive(0.0, 250.0, step=5.0, hysteresis=2.5, time_constant_s=0.05),
    dioptres_per_unit=0.02,
    infinity_position=5.0,
)
"""0.1 D a step of 5; greater positions focus nearer."""
