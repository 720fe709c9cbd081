"""Plays A^H and built-in auto exposure over the paper's lights, and finds what any exposure could reach."""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from dasha_ros.benchmark.methods import ExposureMethod, exposure_methods
from dasha_ros.benchmark.paper.ground import Ground, photographs_of
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import mean_of, share_of
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.control.loop import run_exposure
from dasha_ros.learning.evaluation.settings import Start, composite_dioptres
from dasha_ros.policies.policy import ExposureRule, ExposureTask
from dasha_ros.policies.reached import exposure_side, shares_of
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, FACTORY_POSITION

BUILT_IN = "auto_mean_grey"
"""What stands for the exposure control of the camera."""
NAMES = {
    "paper": "A^H, preset paper",
    "plus": "A^H, preset plus",
    BUILT_IN: "auto exposure, continuous",
    "auto_once": "auto exposure, once",
    "histogram": "classical",
}
RULES: tuple[ExposureRule, ...] = ("good_peak", "acceptable", "well_exposed")
"""See `policies.reached`."""
CEILING_LX = 100.0
"""The light at which all exposures are tried; another light would only scale them."""
BAND_D = (0.5, 0.714)
"""The paper's band, 1.4 to 2.0 m [1/m]."""
_KEYS = frozenset(
    {
        "policy", "view", "photographs", "illuminance_lx", "exposure_us", "steps", "shares", "peak",
        "mean_grey", "reached", *RULES,
    }
)  # fmt: skip
"""What a row holds; see `play`."""


def start_of(ground: Ground, number: int, lux: float, seed: int) -> Start:
    """The start of an episode: factory exposure and lens (paper, IV.D), the object in the paper's band."""
    view = ground.arena.views[number]
    random = np.random.default_rng([seed, zlib.crc32(f"{view.name} {lux:g}".encode())])
    at = composite_dioptres(view, 0.0) if view.kind == "composite" else float(random.uniform(*BAND_D))
    return Start(number, FACTORY_POSITION, at, 0.0, lux, FACTORY_EXPOSURE_US, int(random.integers(1 << 31)))


def play(
    ground: Ground,
    lights: Sequence[float],
    seed: int,
    journal: Journal,
    progress: Callable[[int, int, str], None],
) -> list[Row]:
    """One episode for each method, light and view.

    Returns:
        Rows: ``policy``, ``view``, ``photographs``, ``illuminance_lx``, ``exposure_us``, ``steps``,
        ``shares`` (of the ten bins of Eq. 6), ``peak`` and ``mean_grey`` of the last picture, ``reached``
        (the policy ended content), ``good_peak``, ``acceptable``, ``well_exposed`` (`policies.reached`).

    Raises:
        PolicyFileError: A learned policy can't be read.
        DeviceError: A view can't be shown.
    """
    methods = [method for name in NAMES for method in exposure_methods(name)]
    todo = list(product(ground.numbers, lights, methods))
    rows = []
    for done, (number, lux, method) in enumerate(todo, start=1):
        view = ground.arena.views[number]
        start = start_of(ground, number, lux, seed)
        name = f"{method.policy} {method.digest} {view.name} {lux:g} {start.seed}"
        row = journal.take(name, _KEYS)
        rows.append(row or journal.add(name, _episode(ground, method, start)))
        progress(done, len(todo), f"exposure: {method.policy}")
    return rows


def _episode(ground: Ground, method: ExposureMethod, start: Start) -> Row:
    ground.arena.place(start, method.encoder)
    outcome = run_exposure(ground.arena.rig, method.make(start), ExposureTask(ground.arena.table))
    percept = outcome.percept
    assert percept is not None, "a look-up always answers"
    view = ground.arena.views[start.view]
    row: Row = {
        "policy": method.policy,
        "view": view.name,
        "photographs": photographs_of(view),
        "illuminance_lx": start.illuminance_lx,
        "exposure_us": percept.capture.exposure_us,
        "steps": outcome.steps,
        "shares": [round(float(share), 4) for share in shares_of(percept.histogram_counts)],
        "peak": percept.histogram_peak,
        "mean_grey": round(percept.mean_grey, 2),
        "reached": outcome.code == 0,
    }
    for rule in RULES:
        row[rule] = exposure_side(rule, percept) == 0
    return row


def ceiling(
    ground: Ground, seed: int, journal: Journal, progress: Callable[[int, int, str], None]
) -> list[Row]:
    """Whether any exposure of the table satisfies each rule, view by view; in the order of the views."""
    rows = []
    for done, number in enumerate(ground.numbers, start=1):
        view = ground.arena.views[number]
        name = f"ceiling {view.name} {seed}"
        row = journal.take(name, {"view", "photographs", *RULES})
        if row is None:
            ground.arena.place(start_of(ground, number, CEILING_LX, seed))
            seen = [ground.arena.rig.expose(us) for us in ground.arena.table.values_us]
            can: Row = {rule: any(exposure_side(rule, percept) == 0 for percept in seen) for rule in RULES}
            row = journal.add(name, {"view": view.name, "photographs": photographs_of(view), **can})
        rows.append(row)
        progress(done, len(ground.numbers), "exposure: every exposure of the table")
    return rows


def summed(rows: Sequence[Row], ceilings: Sequence[Row]) -> list[Row]:
    """One row for each method.

    - ``policy``, ``episodes``; ``shares``: mean histogram; ``curve``: of each light the median exposure [us]
      and its least and greatest
    - ``reached``, ``good_peak``, ``acceptable``, ``well_exposed``, ``steps``: means with 95 % intervals by
      photograph
    - ``good_peak_where_possible``: the same of the views in which some exposure satisfies Eq. 7
    - ``overlap``: histogram intersection with built-in auto exposure, 0..1; ``ev_apart``: distance of the
      exposures [EV]; ``None`` for built-in auto exposure itself
    """
    possible = {row["view"] for row in ceilings if row["good_peak"]}
    built_in = {(r["view"], r["illuminance_lx"]): r for r in rows if r["policy"] == BUILT_IN}
    found = []
    for policy in NAMES:
        mine = [row for row in rows if row["policy"] == policy]
        lights = sorted({row["illuminance_lx"] for row in mine})
        line: Row = {"policy": policy, "episodes": len(mine)}
        line["shares"] = [round(float(s), 4) for s in np.mean([row["shares"] for row in mine], axis=0)]
        line["curve"] = [_curve([r["exposure_us"] for r in mine if r["illuminance_lx"] == x]) for x in lights]
        line["lights_lx"] = lights
        for key in ("reached", *RULES):
            line[key] = _over(mine, lambda row, key=key: float(row[key]), is_share=True)  # type: ignore[misc]
        line["good_peak_where_possible"] = _over(
            [row for row in mine if row["view"] in possible],
            lambda row: float(row["good_peak"]),
            is_share=True,
        )
        line["steps"] = _over(mine, lambda row: float(row["steps"]))
        line["overlap"] = line["ev_apart"] = None
        if policy != BUILT_IN:
            other = [built_in[row["view"], row["illuminance_lx"]] for row in mine]
            pairs = [{**row, "other": them} for row, them in zip(mine, other, strict=True)]
            line["overlap"] = _over(pairs, lambda row: _overlap(row["shares"], row["other"]["shares"]))
            line["ev_apart"] = _over(pairs, _ev_apart)
        found.append(line)
    return found


def _curve(exposures: Sequence[float]) -> list[float]:
    return [statistics.median(exposures), min(exposures), max(exposures)]


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    return float(np.minimum(a, b).sum())


def _ev_apart(row: Mapping[str, Any]) -> float:
    return abs(float(np.log2(row["exposure_us"] / row["other"]["exposure_us"])))


def _over(rows: Sequence[Row], value: Callable[[Row], float], *, is_share: bool = False) -> Row | None:
    clusters: dict[str, list[float]] = {}
    for row in rows:
        clusters.setdefault(row["photographs"], []).append(value(row))
    if not clusters:
        return None
    made = share_of(clusters) if is_share else mean_of(clusters)
    return {"mean": made.mean, "low": made.low, "high": made.high}
