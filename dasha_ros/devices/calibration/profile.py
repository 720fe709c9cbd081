"""From measured (position, distance) pairs to a lens profile: fit, check, file, plot.

A liquid lens adds power in proportion to its position, so in dioptres the pairs lie close to a
straight line. The line only serves to find wrong pairs; the profile itself is
the table (see `optics.lens_table`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.lens_table import TableLens

OUTLIER_SIGMAS = 5.0
OUTLIER_MIN_DIOPTRES = 0.05
"""Pairs this close to the line are always kept; 0.05 D is 0.4 px at 640 px, f/2."""
_DISTANCE_DIGITS = 6


class CalibrationError(ValueError):
    """The measurements make no profile; the message says which of them to repeat."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A target at a known distance was in focus at this position of the lens."""

    position: float
    distance_m: float
    """``math.inf`` for a target so far away that it does not matter."""

    @property
    def dioptres(self) -> float:
        """Reciprocal of the distance [1/m]."""
        return 1.0 / self.distance_m


@dataclass(frozen=True, slots=True)
class Calibration:
    """A profile, and how well it fits."""

    lens: LensInfo
    """The lens that was measured."""
    points: tuple[Measurement, ...]
    """One for each distance, ascending in position; repeated measurements are averaged."""
    rejected: tuple[Measurement, ...]
    dioptres_per_unit: float
    infinity_position: float
    """Where the straight line focuses at infinity."""
    residual_dioptres: float
    """Root mean square distance of the points from the line [1/m]."""

    def line(self, position: float) -> float:
        """The straight line [1/m]."""
        return self.dioptres_per_unit * (position - self.infinity_position)


def fit(measurements: Sequence[Measurement], lens: LensInfo) -> Calibration:
    """Make a table of the measurements.

    Outliers from a robust line (Theil and Sen: the median of all pairwise slopes) are rejected.

    Args:
        measurements: At least two different distances; three and more let outliers be found.
        lens: Its unit and limits.

    Raises:
        CalibrationError: Too few, impossible, or contradictory measurements.
    """
    for m in measurements:
        if not (math.isfinite(m.position) and m.distance_m > 0):
            raise CalibrationError(f"{m.position!r} {lens.unit} at {m.distance_m!r} m is no measurement")
    slope, offset = _robust_line(measurements)
    errors = np.array([m.dioptres - (slope * m.position + offset) for m in measurements])
    # 1.4826 turns a median absolute deviation into the sigma of a normal distribution.
    sigma = 1.4826 * float(np.median(np.abs(errors)))
    limit = max(OUTLIER_MIN_DIOPTRES, OUTLIER_SIGMAS * sigma)
    kept = [m for m, error in zip(measurements, errors, strict=True) if abs(error) <= limit]
    rejected = tuple(m for m in measurements if m not in kept)
    points = _averaged(kept)
    if len(points) < 2:
        raise CalibrationError(
            f"{len(points)} of {len(measurements)} measurements agree with each other; measure again,"
            " with the camera and the target standing still"
        )
    try:
        TableLens(
            name="measured",
            unit=lens.unit,
            position_min=lens.position_min,
            position_max=lens.position_max,
            points=tuple((p.position, p.dioptres) for p in points),
        )
    except ValueError as error:
        raise CalibrationError(f"the measurements make no table: {error}") from error
    slope, offset = np.polyfit([p.position for p in points], [p.dioptres for p in points], 1)
    residuals = [p.dioptres - (slope * p.position + offset) for p in points]
    return Calibration(
        lens=lens,
        points=points,
        rejected=rejected,
        dioptres_per_unit=float(slope),
        infinity_position=float(-offset / slope),
        residual_dioptres=float(np.sqrt(np.mean(np.square(residuals)))),
    )


def write_table(
    path: Path,
    calibration: Calibration,
    *,
    focal_length_mm: float = 25.0,
    f_number: float = 2.0,
    settle_s: float | None = None,
) -> None:
    """Write the lens profile that the ``profile`` parameters and `optics.lens_model` read.

    Args:
        path: The YAML file.
        calibration: What was measured.
        focal_length_mm: Focal length of the fixed lens [mm].
        f_number: Its f-number.
        settle_s: How long a move takes [s]; ``None``: it was not measured.

    Raises:
        OSError: The file can't be written.
    """
    points = [
        {"position": rounded(point.position), "distance_m": rounded(point.distance_m, _DISTANCE_DIGITS)}
        for point in calibration.points
    ]
    optics = {"focal_length_mm": rounded(focal_length_mm), "f_number": rounded(f_number)}
    settling = {} if settle_s is None else {"settle_s": rounded(settle_s, 4)}
    unit = calibration.lens.unit
    straight = f"{calibration.residual_dioptres:.4f} D from a straight line"
    path.write_text(
        f"# Measured: {calibration.dioptres_per_unit:.4f} D/{unit},"
        f" infinity at {calibration.infinity_position:.3f} {unit}, {straight}.\n"
        + profile_text(calibration.lens, **optics, **settling, points=points),
        encoding="utf-8",
    )


def profile_text(lens: LensInfo, **more: Any) -> str:
    """The YAML of a lens profile: unit, limits, resolution and play of the lens, but ``more`` goes first."""
    import yaml

    keys = ("position_min", "position_max", "resolution", "play")
    document = {"unit": lens.unit, **{key: rounded(getattr(lens, key)) for key in keys}, **more}
    return str(yaml.safe_dump(document, sort_keys=False, default_flow_style=None))


def rounded(value: float, digits: int = 10) -> float:
    """A number for a profile, to some significant digits; what is within limits stays so."""
    return float(f"{value:.{digits}g}")


def plot(path: Path, calibration: Calibration) -> None:
    """Draw the points, the rejected ones, the line, and the residuals into a picture file.

    Raises:
        OSError: The file can't be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points, unit = calibration.points, calibration.lens.unit
    position = np.array([p.position for p in points])
    dioptres = np.array([p.dioptres for p in points])
    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    focus, residual = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    margin = 0.05 * np.ptp(position)
    span = np.linspace(position.min() - margin, position.max() + margin, 50)
    focus.plot(span, [calibration.line(v) for v in span], color="0.7", label="straight line")
    focus.plot(position, dioptres, "o-", label="table")
    if calibration.rejected:
        focus.plot(
            [m.position for m in calibration.rejected],
            [m.dioptres for m in calibration.rejected],
            "rx",
            label="rejected",
        )
    focus.set_ylabel("focus [1/m]")
    focus.set_title(
        f"{calibration.dioptres_per_unit:.3f} D/{unit},"
        f" infinity at {calibration.infinity_position:.2f} {unit},"
        f" residual {calibration.residual_dioptres * 1e3:.1f} mD"
    )
    focus.legend()
    residual.stem(position, (dioptres - [calibration.line(v) for v in position]) * 1e3)
    residual.set_ylabel("residual [mD]")
    residual.set_xlabel(f"lens position [{unit}]")
    figure.savefig(path, dpi=120)


def _robust_line(measurements: Sequence[Measurement]) -> tuple[float, float]:
    slopes = [
        (b.dioptres - a.dioptres) / (b.position - a.position)
        for i, a in enumerate(measurements)
        for b in measurements[i + 1 :]
        if a.position != b.position and a.distance_m != b.distance_m
    ]
    if not slopes:
        raise CalibrationError(
            "a profile needs targets at two or more distances, in focus at different positions"
        )
    slope = float(np.median(slopes))
    return slope, float(np.median([m.dioptres - slope * m.position for m in measurements]))


def _averaged(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    by_distance: defaultdict[float, list[Measurement]] = defaultdict(list)
    for m in measurements:
        # Merge distances that are equal in the file, which would hold the same point twice.
        by_distance[rounded(m.distance_m, _DISTANCE_DIGITS)].append(m)
    averaged = (
        Measurement(float(np.mean([m.position for m in same])), same[0].distance_m)
        for same in by_distance.values()
    )
    return tuple(sorted(averaged, key=lambda m: m.position))
