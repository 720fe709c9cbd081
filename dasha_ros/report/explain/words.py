"""Says why the agents did what they did, in sentences made of the numbers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dasha_ros.report.explain.explanation import Explained
from dasha_ros.report.explain.occlusion import on_box
from dasha_ros.report.explain.replay import lens_of
from dasha_ros.report.model import Record

NOTICED = 0.01
"""Up to this influence of every cell, no single place decided."""
WINDOW_PX = 1.0
"""Where the focus is, is told within so much blur [px at 640]."""


def headline(explained: Explained) -> str:
    """What was decided."""
    step, decided = explained.step, explained.decided
    what = f"{step.agent}, picture {step.index}"
    if decided.done:
        return f"{what}: it stopped"
    if step.agent == "A^H":
        return f"{what}: expose for {duration(decided.value)}"
    return f"{what}: move the lens to {decided.value:.2f} {step.lens.unit}"


def sentences(record: Record, explained: Explained) -> list[str]:
    """Why it was decided."""
    told = _belief(record, explained) if explained.step.agent == "A^L" else _light(explained)
    told += _places(record, explained)
    if not explained.is_reproduced:
        told.append(
            f"The policy that is installed decides otherwise than the one that acted, which commanded "
            f"{explained.recorded:g}. This explains the installed one: give the file of the other one."
        )
    return told


def _light(explained: Explained) -> list[str]:
    seen = explained.step.percept
    grey, peak = seen.mean_grey or 0.0, seen.histogram_peak or 0.0
    exposed = duration(explained.step.frame.exposure_us or 0.0)
    ends = (
        "so it stopped."
        if explained.decided.done
        else f"so it asked for {duration(explained.decided.value)}."
    )
    return [f"At {exposed} the mean grey was {grey:.0f} and the histogram's peak {peak:.0f} of 255, {ends}"]


def _belief(record: Record, explained: Explained) -> list[str]:
    decided, lens = explained.decided, lens_of(record)
    if decided.belief is None or decided.dioptres is None:
        return ["This policy has no belief about the focus."]
    here = record.focus_dioptres(explained.step)
    window = WINDOW_PX / abs(lens.blur_px(1.0, 0.0))
    place, chance = likeliest(decided.dioptres, decided.belief, window)
    told = []
    if here is not None:
        told.append(
            f"The lens was focused at {distance(here)}. That the object is sharp there (within "
            f"{WINDOW_PX:g} px) had a chance of "
            f"{_percent(within(decided.dioptres, decided.belief, here, window))}; the likeliest place was "
            f"{distance(place)}, with {_percent(chance)}."
        )
    if decided.done:
        told.append("So it stopped.")
    else:
        told.append(f"So it went to {distance(lens.dioptres(decided.value))}.")
    return told


def _places(record: Record, explained: Explained) -> list[str]:
    weights = explained.weights
    if weights is None:
        return ["The latent has no cells that could be covered."]
    if weights.max() <= NOTICED:
        return ["Covering any one place of the latent changes hardly anything: no single place decided."]
    row, column = np.unravel_index(int(weights.argmax()), weights.shape)
    told = [
        f"The place that counted most is cell {int(row) + 1}, {int(column) + 1} (row, column): covered, "
        f"{_change(explained, float(weights.max()))}."
    ]
    if explained.box is not None:
        share, area = on_box(weights, explained.box)
        label = " or ".join(sorted(record.goal.wanted[0])) or "object"
        told.append(
            f"{_percent(share)} of the influence lies on the box of the {label}, which covers "
            f"{_percent(area)} of the frame."
        )
    return told


def _change(explained: Explained, weight: float) -> str:
    if explained.decided.belief is not None:
        return f"it moves {_percent(weight)} of the belief"
    unit = "stops" if explained.step.agent == "A^H" else "1/m"
    return f"it changes the decision by {weight:.2g} {unit}"


def within(dioptres: NDArray[np.float64], belief: NDArray[np.float64], place: float, window: float) -> float:
    """Probability that the focus is within ``window`` of a place [1/m]."""
    return float(belief[np.abs(dioptres - place) <= window].sum())


def likeliest(
    dioptres: NDArray[np.float64], belief: NDArray[np.float64], window: float
) -> tuple[float, float]:
    """The place with most probability within ``window`` [1/m], and that probability."""
    chances = [within(dioptres, belief, float(place), window) for place in dioptres]
    best = int(np.argmax(chances))
    return float(dioptres[best]), chances[best]


def distance(dioptres: float) -> str:
    """Where a focus lies, for people."""
    return f"{1.0 / dioptres:.2f} m" if dioptres > 0.01 else "infinity"


def duration(microseconds: float) -> str:
    """An exposure time, for people."""
    return f"{microseconds / 1e3:.3g} ms"


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "an unknown share"
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0.0 else "less than 1 %"
