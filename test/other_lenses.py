"""Lenses in other units than the default one: a liquid lens in dioptres, and a motor that counts steps."""

from __future__ import annotations

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.thin_lens import LinearLens

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


def table(lens: LinearLens, near: float, far: float) -> str:
    """The profile of a lens as the file that ``lens_driver.profile`` names.

    Args:
        lens: Which.
        near: A position that focuses at a distance.
        far: Another one.
    """
    points = "".join(
        f"  - {{position: {position}, distance_m: {1.0 / dioptres if dioptres > 0.0 else '.inf'}}}\n"
        for position in (near, far)
        if (dioptres := lens.dioptres(position)) >= 0.0
    )
    return (
        f"unit: {lens.unit}\nposition_min: {lens.position_min}\nposition_max: {lens.position_max}\n"
        f"resolution: {lens.drive.step}\nplay: {2.0 * lens.drive.hysteresis}\npoints:\n{points}"
    )


TABLES = {"dioptres": table(DIOPTRES, 3.0, 0.5), "steps": table(STEPS, 100.0, 900.0)}
