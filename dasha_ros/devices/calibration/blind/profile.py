"""Writes a blind calibration as a lens profile, and draws it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.calibration.blind.measure import BlindCalibration
from dasha_ros.devices.calibration.blind.vee import READ_FROM_PX, READ_TO_PX, Side, Vee
from dasha_ros.devices.calibration.profile import profile_text, rounded
from dasha_ros.files.writing import write_whole
from dasha_ros.optics.lens_table import SETTLE_MAX_S, STANDARD_PX_PER_DIOPTRE

POINTS = 9
"""Points of the table, if the lens is bent; two are enough for a straight one."""
SEARCHED_DIOPTRES = 4.0
"""Policies search from 0 to this focus [1/m] of the standard lens."""


def table(
    found: BlindCalibration, tried: tuple[float, float], *, nearer_above: bool
) -> list[tuple[float, float]]:
    """The profile's points: position, and blur radius against the far end of the search [px at 640].

    The far end is 0. If the range is so wide that policies do not search all of it, the scene that was
    calibrated with lies in the middle of what they search.

    Args:
        found: What was measured.
        tried: Least and greatest position to use.
        nearer_above: Whether greater positions focus nearer.
    """
    vee = found.vee
    at = np.linspace(*found.scanned, POINTS if vee.bend else 2, dtype=np.float64)
    sign = 1.0 if nearer_above else -1.0
    # Outside the scan the table goes on straight, as its end segments do.
    blur = sign * vee.blur(at, vee.sharpest)
    ends = [_extended(at[:2], blur[:2], tried[0]), _extended(at[-2:], blur[-2:], tried[1])]
    whole = SEARCHED_DIOPTRES * STANDARD_PX_PER_DIOPTRE
    far = min(ends)
    if max(ends) - far > whole:
        far = float(np.clip(-whole / 2.0, far, max(ends) - whole))
    return [(float(p), float(b - far)) for p, b in zip(at, blur, strict=True)]


def _extended(x: NDArray[np.float64], y: NDArray[np.float64], to: float) -> float:
    """The straight line through two points, at ``to``."""
    return float(y[0] + (to - x[0]) * (y[1] - y[0]) / (x[1] - x[0]))


def write_profile(
    path: Path, found: BlindCalibration, tried: tuple[float, float], *, nearer_above: bool = True
) -> None:
    """Write the profile that ``lens_driver.profile`` reads.

    Raises:
        OSError: The file can't be written.
    """
    lens, vee = found.lens, found.vee
    points = [
        {"position": rounded(position), "blur_px": rounded(blur, 5)}
        for position, blur in table(found, tried, nearer_above=nearer_above)
    ]
    measured = {"resolution": rounded(found.resolution, 6), "play": rounded(found.play, 4)}
    # A motor that takes longer tells itself when it has arrived, and a table can't say so.
    if found.settle_s is not None and found.settle_s <= SETTLE_MAX_S:
        measured["settle_s"] = rounded(found.settle_s, 4)
    write_whole(
        path,
        f"# Measured without distances: {vee.slope:.5g} px of blur radius a {lens.unit} (at 640 px),\n"
        f"# sharpest at {vee.sharpest:.6g} {lens.unit}, {vee.residual_px:.3f} px from the fit.\n"
        "# Distances in metres that are derived from this profile mean nothing.\n"
        + profile_text(lens, **measured, points=points),
    )


def plot(path: Path, found: BlindCalibration) -> None:
    """Draw the readings of both scans and the V into a picture file; its ending says which kind.

    Raises:
        OSError: The file can't be written.
        ValueError: The ending names no kind of picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    vee, unit = found.vee, found.lens.unit
    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    blur, residual = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    ways = (("up", found.sides[0], "^", "C0", 0.5), ("down", found.sides[1], "v", "C1", -0.5))
    for way, side, marker, colour, lag in ways:
        shift = lag * vee.play
        position, seen = _drawn(vee, side, shift)
        blur.plot(position, seen, marker, color=colour, markersize=3, label=f"read on the way {way}")
        line = np.linspace(*found.scanned, 200, dtype=np.float64)
        blur.plot(line, np.abs(vee.blur(line - shift, vee.sharpest)), color=colour, linewidth=0.8)
        off = seen - np.abs(vee.blur(position - shift, vee.sharpest))
        residual.plot(position, off, marker, color=colour, markersize=3)
    blur.set_ylabel("radius of blur [px at 640]")
    blur.set_title(
        f"{vee.slope:.4g} px a {unit}, sharpest at {vee.sharpest:.5g} {unit}, play {found.play:.3g} {unit},"
        f" {vee.residual_px:.3f} px off"
    )
    blur.legend()
    residual.set_ylabel("off the fit [px]")
    residual.set_xlabel(f"lens position [{unit}]")
    figure.savefig(path, dpi=120)


def _drawn(vee: Vee, side: Side, shift: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions and blur of a scan's readings; parts at other distances are moved onto one V."""
    radius, centres = side.radius_px, vee.centres[:, None]
    own = vee.signed(side.positions[side.sharpest] - shift)[:, None] - vee.signed(centres)
    position = side.positions[None, :] - centres + vee.sharpest
    use = (radius > READ_FROM_PX) & (radius < READ_TO_PX)
    return position[use], np.hypot(radius, own)[use]
