"""What the fields of a goal's request mean, and the one place that refuses what can't be meant.

The three actions share the names of their fields; what an action has no field for is not checked.
"""

from __future__ import annotations

import math
from typing import Any

from dasha_ros import msg
from dasha_ros.control.deadline import seconds_trouble
from dasha_ros.optics.lens_info import LensInfo, LensInfoError
from dasha_ros.optics.limited_lens import DistanceError, DistanceRange
from dasha_ros.perception.labels import canonical
from dasha_ros.policies.selection import Region, Selection, SelectionError
from dasha_ros.ros.transport.conversions import box_from_msg, box_to_msg

MAX_SHIFT_EV = 20.0
"""Longest step that a goal of A^H may ask for [EV]: more than any camera's range."""


def trouble(request: Any) -> str:
    """Why a request can't be meant, as a sentence; empty if it can."""
    seconds = seconds_trouble(request.max_seconds)
    if seconds or not hasattr(request, "labels"):
        return seconds
    if getattr(request, "hold", False) and request.background:
        return "a background goal yields to any other, so it can't hold: set hold or background to false"
    if reason := _numbers_trouble(request):
        return reason
    try:
        selection_of(request)
        if hasattr(request, "min_distance_m"):
            distances_of(request)
    except (SelectionError, DistanceError) as error:
        return str(error)
    return ""


def _numbers_trouble(request: Any) -> str:
    if not 0.0 <= request.min_score <= 1.0:
        return f"min_score {request.min_score:g} is not in 0..1 (0: the default)"
    brisque = getattr(request, "max_brisque", 0.0)
    if not (math.isfinite(brisque) and brisque >= 0.0):
        return f"max_brisque {brisque:g} is not a number of at least 0 (0: the default)"
    shift_ev = getattr(request, "shift_ev", 0.0)
    if not abs(shift_ev) <= MAX_SHIFT_EV:
        return f"shift_ev {shift_ev:g} is not in -{MAX_SHIFT_EV:g}..{MAX_SHIFT_EV:g}"
    return ""


def lens_trouble(request: Any, info: LensInfo | None) -> str:
    """Why a lens can't be kept within the distances of a request; empty if it can."""
    distances = distances_of(request)
    if not distances:
        return ""
    if info is None:
        return (
            f"no lens_driver tells its distances, so the search can't be kept to {distances}: start it first"
        )
    try:
        distances.limit(info.model())
    except (LensInfoError, DistanceError) as error:
        return str(error)
    return ""


def labels_of(request: Any) -> tuple[str, ...]:
    """The labels of a request, canonical and in its order."""
    return tuple(canonical(label) for label in request.labels)


def selection_of(request: Any) -> tuple[frozenset[str], Selection]:
    """Which labels count (empty: all), and what else a request selects.

    Raises:
        SelectionError: The region is none.
    """
    return Selection.of_goal(
        labels_of(request),
        region_from_msg(request.region),
        any_object=request.any_object,
        by_priority=request.by_priority,
    )


def distances_of(request: Any) -> DistanceRange:
    """The focus distances that a request allows.

    Raises:
        DistanceError: They are no range.
    """
    return DistanceRange(request.min_distance_m, request.max_distance_m)


def region_from_msg(message: msg.Region) -> Region | None:
    """The region of a message; ``None`` if all its numbers are zero.

    Raises:
        SelectionError: It is no part of a picture.
    """
    return Region.of(box_from_msg(message) or (0.0,) * 4)


def region_to_msg(region: Region | None) -> msg.Region:
    """The message of a region."""
    return box_to_msg(None if region is None else region.edges)
