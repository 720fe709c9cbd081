"""Decides whether a goal is reached, and says why not. The loop, the rules of learning, deployed policies,
learners on a robot and evaluations all ask here.

A^H has three rules. ``well_exposed``: the mean grey level is in 60..150 and at most 30 % of the pixels are
clipped or nearly so; some exposure always satisfies it, because both grow steadily with the exposure.
``acceptable``: the histogram's peak is in neither the darkest nor the brightest tenth (paper, Algorithm 1,
line 7). ``good_peak``: the peak is in 50..150, where Eq. 7 pays +1; in 4 of 17 photographs no exposure puts
it there. A^L has one: the object is detected, BRISQUE is good enough, and the object's own detail does not
speak against it.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureRule, FocusTask
from dasha_ros.policies.rewards import GOOD_PEAK

GREY_MAX = 255.0
"""Greatest grey level."""
MEAN_GREY = (60.0, 150.0)
"""Mean grey levels of a well-exposed picture; both ends belong."""
BRIGHT_LEVEL = 229.0
"""Bins from here on hold pixels that are clipped or nearly so: the last of ten bins over 0..255."""
MAX_BRIGHT_SHARE = 0.3
"""Largest share of bright pixels in a well-exposed picture."""
ACCEPTABLE_PEAK = (25.5, 229.5)
"""10 and 90 % of the greatest grey level (Algorithm 1, line 7); both ends belong."""
TARGET_GREY = 100.0
"""Mean grey level to aim at: the middle of Eq. 7's best interval."""
BLACK_GREY = 1.5
"""Pictures with a mean below this hold little but read noise, and say only "far too dark"."""
MIN_OPEN_SHARE = 1.0 / 16.0
"""Least share of a clipped picture that counts as in range; limits a step down to 5 EV."""
_BRIGHT_BINS = np.linspace(0.0, GREY_MAX, 11)[:-1] >= BRIGHT_LEVEL

Side = Literal[-1, 0, 1]


def shares_of(counts: ArrayLike) -> NDArray[np.float64]:
    """A histogram as shares of the pixels, shape (..., 10)."""
    found = np.asarray(counts, dtype=np.float64)
    shares: NDArray[np.float64] = found / np.maximum(found.sum(axis=-1, keepdims=True), 1.0)
    return shares


def bright_share(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the pixels that are clipped or nearly so, 0..1, shape (...).

    Args:
        shares: Shares of ten even bins over 0..255, shape (..., 10).
    """
    result: NDArray[np.float64] = shares[..., _BRIGHT_BINS].sum(axis=-1)
    return result


def mid_grey_ev(mean_grey: NDArray[np.float64], bright: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much more exposure a linear sensor needs to show `TARGET_GREY` [EV], shape (...).

    Clipped pixels may be brighter than they look: the more of them, the larger the step down.

    Args:
        mean_grey: Grey levels 0..255, shape (...); darker than `BLACK_GREY` counts as that.
        bright: See `bright_share`.
    """
    levels = np.maximum(mean_grey, BLACK_GREY)
    result: NDArray[np.float64] = np.log2(TARGET_GREY / levels * np.maximum(1.0 - bright, MIN_OPEN_SHARE))
    return result


def exposure_sides(
    rule: ExposureRule, *, mean_grey: ArrayLike, peak: ArrayLike, shares: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Whether pictures are too dark (-1), right (0) or too bright (+1); shape (...).

    With ``well_exposed`` the result never falls when the exposure grows, and some exposure is always right:
    when 30 % of the pixels just reach `BRIGHT_LEVEL`, the mean is at least 0.3 * 229 = 69 > 60.

    Args:
        rule: What counts as right.
        mean_grey: Grey levels 0..255, shape (...).
        peak: Centre of the fullest bin, grey levels 0..255, shape (...).
        shares: See `bright_share`.
    """
    if rule == "well_exposed":
        level, (low, high) = np.asarray(mean_grey, np.float64), MEAN_GREY
        is_bright = (level > high) | (bright_share(shares) > MAX_BRIGHT_SHARE)
    else:
        level, (low, high) = np.asarray(peak, np.float64), _PEAKS[rule]
        is_bright = level > high
    sides: NDArray[np.intp] = np.where(level < low, -1, np.where(is_bright, 1, 0))
    return sides


def exposure_side(rule: ExposureRule, percept: Percept) -> Side:
    """`exposure_sides` of one percept."""
    side: Any = exposure_sides(
        rule,
        mean_grey=percept.mean_grey,
        peak=percept.histogram_peak,
        shares=shares_of(percept.histogram_counts),
    )
    result: Side = int(side)  # type: ignore[assignment]
    return result


def exposure_verdict(
    rule: ExposureRule, percept: Percept, table: ExposureTable | None = None
) -> tuple[ErrorCode, str]:
    """How a goal of A^H ends with this picture; if it failed, what happened.

    Args:
        rule: What counts as right.
        percept: Percept of the last picture.
        table: Given if every exposure of it was tried or excluded.
    """
    if exposure_side(rule, percept) == 0:
        return ErrorCode.NONE, ""
    tried = f"No exposure from {table.t_min_us:g} to {table.t_max_us:g} us makes" if table else "This is not"
    return ErrorCode.EXPOSURE_NOT_REACHED, (
        f"{tried} a usable picture: {_seen(rule, percept)} at {percept.capture.exposure_us:g} us"
    )


def _seen(rule: ExposureRule, percept: Percept) -> str:
    if rule != "well_exposed":
        low, high = _PEAKS[rule]
        return f"the histogram's peak is at {percept.histogram_peak:.0f} of 255, not in {low:g} to {high:g}"
    clipped = float(bright_share(shares_of(percept.histogram_counts)))
    if clipped > MAX_BRIGHT_SHARE:
        return f"{clipped:.0%} of it is clipped or nearly so (mean grey {percept.mean_grey:.0f} of 255)"
    return f"mean grey {percept.mean_grey:.0f} of 255"


def seen(percept: Percept, task: FocusTask) -> tuple[Detection, ...]:
    """Detections of the wanted objects in this picture, best first; empty: none is detected."""
    return percept.of(task.labels, task.min_score)


def focus_verdict(percept: Percept, task: FocusTask, sharp: float = math.nan) -> tuple[ErrorCode, str]:
    """How a goal of A^L ends with this picture; if it failed, what happened.

    Args:
        percept: Percept of the last picture.
        task: What was wanted.
        sharp: Probability that the object itself is sharp in it
            (`policies.learned.object_evidence`); NaN where its detail is not known, which counts as sharp.
    """
    found = seen(percept, task)
    if not found:
        return not_found(task)
    if task.selection.itself and math.isnan(sharp):
        return ErrorCode.QUALITY_NOT_REACHED, (
            f"Nothing tells how sharp {task.selection.what(())} is: perception measures no detail there"
        )
    if percept.brisque > task.max_brisque:
        return ErrorCode.QUALITY_NOT_REACHED, (
            f"{found[0].label} found, but BRISQUE is {percept.brisque:.1f}, above {task.max_brisque:g}"
        )
    if sharp < task.min_sharp:
        return ErrorCode.QUALITY_NOT_REACHED, (
            f"{found[0].label} found, but by its own detail the probability that it is sharp is "
            f"{sharp:.2f}, below {task.min_sharp:g}"
        )
    return ErrorCode.NONE, ""


def not_found(task: FocusTask) -> tuple[ErrorCode, str]:
    """How a goal of A^L ends after a search that found nothing."""
    wanted = ", ".join(sorted(task.labels)) or "No object"
    region = task.selection.region
    where = f" in the region {region}" if region is not None else ""
    return ErrorCode.OBJECT_NOT_FOUND, (
        f"{wanted} {'not ' if task.labels else ''}found{where} with a score of {task.min_score:g} or more"
    )


_PEAKS: dict[ExposureRule, tuple[float, float]] = {"acceptable": ACCEPTABLE_PEAK, "good_peak": GOOD_PEAK}
