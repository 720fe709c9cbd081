"""The lens profile of a real lens: a table of measured positions and distances.

The file is YAML::

    unit: steps               # of positions; left out or V: a Varioptic lens
    position_min: 0           # least and greatest position that the lens takes; V: its own if left out
    position_max: 1023
    resolution: 1             # optional: smallest step
    play: 4                   # optional: how much of a move is lost after a turn
    focal_length_mm: 25.0     # optional
    f_number: 2.0             # optional
    settle_s: 0.06            # optional: how long a move takes
    blur_doubt: 4.0           # optional: by what factor blur may be less or more than f_number says
    points:                   # at least two; greater positions must always focus nearer, or always farther
      - {position: 210, distance_m: .inf}
      - {position: 432, distance_m: 1.0}
      - {position: 801, distance_m: 0.32}

Where nobody knows distances, a point has ``blur_px`` in place of ``distance_m``: the radius of blur [px of an
image 640 px wide] of a thing that is sharp where ``blur_px`` is 0, nearer positive. A dioptre then blurs as
much as with the package's standard lens (25 mm, f/2), so blur is right and metres mean nothing::

    points:
      - {position: 20, blur_px: 3.1}
      - {position: 120, blur_px: 27.9}
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dasha_ros.optics import varioptic
from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens import MEASURED
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.thin_lens import LinearLens, ThinLens

SETTLE_MAX_S = 5.0
"""No lens takes longer; a larger number is in the wrong unit."""
LEAST_PX = 1.0
"""A lens whose whole range changes the blur by less [px at 640] has numbers in the wrong unit."""
STANDARD_PX_PER_DIOPTRE = LinearLens("standard", "D", 0.0, 1.0).blur_px(1.0, 0.0)
"""Blur radius of a dioptre with the standard lens [px at 640]."""
_OPTICS = {"focal_length_mm": 25.0, "f_number": 2.0}
_DEVICE = ("position_min", "position_max", "resolution", "play")
_KEYS = {"points", "unit", "settle_s", "blur_doubt", *_OPTICS, *_DEVICE}


@dataclass(frozen=True)
class TableLens(ThinLens):
    """Measured pairs, interpolated in dioptres, in which the map of a liquid lens is almost straight.

    Outside the table the end segments are extended: a table that ends at 1 m still tells where 0.9 m
    is, and a search can reach infinity.
    """

    points: tuple[tuple[float, float], ...] = ()
    """(position, dioptres), ascending in position."""
    settle_s: float | None = None
    """How long a move takes [s]; ``None``: not measured. It changes neither the optics nor `id`."""

    def __post_init__(self) -> None:
        """Check the points."""
        super().__post_init__()
        unit = self.unit
        if self.settle_s is not None and not 0.0 <= self.settle_s <= SETTLE_MAX_S:
            raise ValueError(f"settle_s is {self.settle_s!r}; it must lie in 0..{SETTLE_MAX_S:g} s")
        if len(self.points) < 2:
            raise ValueError(f"the table holds {len(self.points)} points; it needs at least two")
        positions, dioptres = np.array(self.points, dtype=np.float64).T
        if not (np.isfinite(positions).all() and np.isfinite(dioptres).all()):
            raise ValueError("the table holds a value that is not a number")
        low, high = self.position_min, self.position_max
        if (outside := positions[(positions < low) | (positions > high)]).size:
            raise ValueError(f"{outside[0]:g} {unit} lies outside {low:g}..{high:g} {unit}")
        if not (np.diff(positions) > 0).all():
            raise ValueError("a position stands in the table twice")
        steps = np.diff(dioptres)
        if not ((steps > 0).all() or (steps < 0).all()):
            wrong = int(np.argmin(steps * np.sign(dioptres[-1] - dioptres[0]))) + 1
            raise ValueError(
                f"the distances are not in order at {positions[wrong]:g} {unit}: greater positions must "
                "always focus nearer, or always farther; measure that point again"
            )

    @property
    def id(self) -> str:
        """The optics and a digest of the points: two tables with one id are the same."""
        text = ";".join(f"{v:.6g},{d:.6g}" for v, d in self.points)
        return f"table:{self._numbers}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def map_points(self) -> tuple[tuple[float, float], ...]:
        """The points, and both ends of the range."""
        at = sorted({self.position_min, self.position_max, *(position for position, _ in self.points)})
        return tuple((position, self.dioptres(position)) for position in at)

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at ``position``, after clipping to the lens's range."""
        return _interpolate(self._clip(position), self.points)

    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        swapped = sorted((d, v) for v, d in self.points)
        return self._clip(_interpolate(dioptres, swapped))


def load_table(path: Path, **overrides: float) -> TableLens:
    """Read and validate a table of measured points.

    Args:
        path: The YAML file.
        **overrides: ``focal_length_mm`` or ``f_number``, in place of the file's.

    Raises:
        ValueError: The message names the file, the key and what is wrong with it.
    """
    document = _document(path)
    if unknown := sorted({*map(str, document), *overrides} - _KEYS):
        raise ValueError(
            f"lens table {path}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(_KEYS))}"
        )
    optics = {
        key: _number(path, key, overrides.get(key, document.get(key, default)))
        for key, default in _OPTICS.items()
    }
    if wrong := [key for key, value in optics.items() if not (math.isfinite(value) and value > 0)]:
        raise ValueError(
            f"lens table {path}: {wrong[0]} is {optics[wrong[0]]!r}; it must be a positive number"
        )
    points = _points(path, document.get("points"), optics)
    unit = document.get("unit", varioptic.UNIT)
    if not isinstance(unit, str) or not unit.strip():
        raise ValueError(f"lens table {path}: unit is {unit!r}; it must be a word such as 'steps'")
    device = {key: _number(path, key, document[key]) for key in _DEVICE if key in document}
    settle_s = _number(path, "settle_s", document["settle_s"]) if "settle_s" in document else None
    try:
        low, high, drive = _device(unit, device)
        table = TableLens(
            name=f"table:{path.name}",
            unit=unit,
            position_min=low,
            position_max=high,
            follows=drive,
            points=tuple(points),
            settle_s=settle_s,
            blur_doubt=_number(path, "blur_doubt", document.get("blur_doubt", MEASURED)),
            **optics,
        )
        _check_use(table)
    except ValueError as error:
        raise ValueError(f"lens table {path}: {error}") from error
    return table


def _check_use(table: TableLens) -> None:
    """Refuse what no lens driver can publish, and a map on which no search could find anything."""
    LensInfo.of(table)
    ends = table.dioptres(table.position_min), table.dioptres(table.position_max)
    if (change_px := abs(table.blur_px(*ends))) < LEAST_PX:
        raise ValueError(
            f"over the whole range, {table.position_min:g} to {table.position_max:g} {table.unit}, the blur "
            f"changes by {change_px:.2g} px, and {LEAST_PX:g} px or more are needed: distance_m is in metres "
            "and focal_length_mm in millimetres"
        )


def _document(path: Path) -> dict[Any, Any]:
    from dasha_ros.files.documents import read_yaml
    from dasha_ros.files.errors import FileError
    from dasha_ros.files.version_0_1 import lens_table

    try:
        document = read_yaml(path)
    except FileError as error:
        if error.is_missing and not path.is_symlink():
            raise ValueError(
                f"lens profile {str(path)!r} is neither physical, nor paper, nor optotune, nor a file"
            ) from error
        raise ValueError(f"lens table {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"lens table {path} must hold the key `points`")
    return lens_table(document)


def _device(unit: str, numbers: dict[str, float]) -> tuple[float, float, LensDrive]:
    """Least and greatest position, and how the lens follows commands."""
    if unit == varioptic.UNIT:
        low, high = varioptic.RANGE
        drive = varioptic.DRIVE
    else:
        if missing := [key for key in ("position_min", "position_max") if key not in numbers]:
            raise ValueError(f"{missing[0]} is missing: a table in {unit} must say what the lens takes")
        low, high = numbers["position_min"], numbers["position_max"]
        drive = LensDrive(low, high)
    low, high = numbers.get("position_min", low), numbers.get("position_max", high)
    return (
        low,
        high,
        replace(
            drive,
            step=numbers.get("resolution", drive.step),
            hysteresis=numbers.get("play", 2.0 * drive.hysteresis) / 2.0,
        ),
    )


def _points(path: Path, rows: Any, optics: dict[str, float]) -> list[tuple[float, float]]:
    """Positions and dioptres of the table's rows, ascending."""
    if not isinstance(rows, list):
        raise ValueError(f"lens table {path}: `points` must be a list of {{position, distance_m}}")
    kinds = [_kind(path, index, row) for index, row in enumerate(rows)]
    if len(set(kinds)) > 1:
        raise ValueError(f"lens table {path}: points hold distance_m and blur_px; use one for all of them")
    lens = LinearLens("", "D", 0.0, 1.0, optics["focal_length_mm"], optics["f_number"])
    px_per_dioptre = lens.blur_px(1.0, 0.0)
    return sorted(_point(path, i, row, px_per_dioptre) for i, row in enumerate(rows))


def _kind(path: Path, index: int, row: Any) -> str:
    for key in ("distance_m", "blur_px"):
        if isinstance(row, dict) and set(row) == {"position", key}:
            return key
    raise ValueError(
        f"lens table {path}: points[{index}] must hold position and distance_m (or blur_px) and nothing else"
    )


def _point(path: Path, index: int, row: dict[str, Any], px_per_dioptre: float) -> tuple[float, float]:
    where = f"points[{index}]"
    position = _number(path, f"{where}.position", row["position"])
    if "blur_px" in row:
        return position, _number(path, f"{where}.blur_px", row["blur_px"]) / px_per_dioptre
    distance = _number(path, f"{where}.distance_m", row["distance_m"], may_be_infinite=True)
    if not distance > 0:
        raise ValueError(
            f"lens table {path}: {where}.distance_m is {distance:g}; it must be positive (.inf: infinity)"
        )
    return position, 1.0 / distance


def _number(path: Path, key: str, value: Any, *, may_be_infinite: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"lens table {path}: {key} is {value!r:.60}; it must be a number{_as_yaml(value)}")
    try:
        number = float(value)
    except OverflowError:
        digits = round(int(value).bit_length() * math.log10(2.0))
        raise ValueError(
            f"lens table {path}: {key} is a whole number of some {digits} digits; that is too large"
        ) from None
    if math.isnan(number) or (math.isinf(number) and not may_be_infinite):
        raise ValueError(f"lens table {path}: {key} is {number!r}; it must be a finite number")
    return number


def _as_yaml(value: Any) -> str:
    """How YAML wants a number that it took for a text; empty for anything else."""
    try:
        if not (isinstance(value, str) and math.isfinite(float(value))):
            return ""
    except ValueError:
        return ""
    mantissa, power, exponent = value.strip().lower().partition("e")
    if not power:
        return ", which YAML wants without quotes"
    point = "" if "." in mantissa else ".0"
    return f", which YAML wants as {mantissa}{point}e{int(exponent):+d}"


def _interpolate(x: float, points: tuple[tuple[float, float], ...] | list[tuple[float, float]]) -> float:
    """Piecewise linear through ``points`` (ascending in x), with extended end segments."""
    xs = [p[0] for p in points]
    i = int(np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2))
    (x0, y0), (x1, y1) = points[i], points[i + 1]
    return y0 + (x - x0) * (y1 - y0) / (x1 - x0)
