"""Figure 4: learning curves of DASHA, its agents alone, [11] and [12], with their losses."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.ground import SPLIT, cache_of
from dasha_ros.benchmark.paper.html import table
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.curves.figure import draw_curves
from dasha_ros.benchmark.paper.parts.curves.measure import METHODS, SEEDS, learn_all
from dasha_ros.benchmark.paper.words import number_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.training.run_folder import TrainingError

NAME = "curves"
LEVEL = 0.8
"""Convergence is the first evaluation from which on the mean share in focus is at least this."""
STEP_S = 5.0
"""A step of training at the pace of the paper's Table 1, 10 s for two steps [s]."""
_TITLES = {method.name: method.title for method in METHODS}


def compute(context: Context) -> Data:
    """Train all methods, as long as their presets say or, quick, for a few updates."""
    path, _ = cache_of(context)
    try:
        cache = PerceptCache.open(path, verify=False)
        with context.journal(NAME) as journal:
            rows = learn_all(context, cache, SPLIT, journal)
            context.came_from(journal, NAME)
    except ImportError as error:
        raise PartMissingError(
            f"training needs PyTorch and stable-baselines3 ({error}): run scripts/setup --torch, then "
            f"dasha benchmark paper --out DIR --part {NAME}"
        ) from error
    except (CacheError, TrainingError) as error:
        raise PartMissingError(str(error)) from error
    found = [
        _summed(method.name, rows) for method in METHODS if any(r["method"] == method.name for r in rows)
    ]
    return {"is_short": context.quick, "scene_set": cache.meta.scene_set, "methods": found}


def _summed(name: str, rows: Sequence[Row]) -> Row:
    """One method: curves over the seeds, and when it had converged.

    - ``method``, ``seeds``
    - ``focus``, ``exposure``: by key (``within_2px``, ``detected``, ``reward``; ``well_exposed``), points of
      steps, mean, least and most over the seeds
    - ``loss``: the same of the loss, divided by each seed's greatest
    - ``best``: the greatest mean of ``within_2px``
    - ``converged``: the first steps from which on that mean is at least `LEVEL`; ``None``: it never is
    """
    mine = [row for row in rows if row["method"] == name]
    line: Row = {"method": name, "seeds": [row["seed"] for row in mine]}
    line["focus"] = {key: _spread(mine, "focus", key) for key in ("within_2px", "detected", "reward")}
    line["exposure"] = {"well_exposed": _spread(mine, "exposure", "well_exposed")}
    line["loss"] = _over([_scaled(row["losses"]) for row in mine])
    points = line["focus"]["within_2px"]
    line["best"] = max(mean for _, mean, _, _ in points)
    line["trained"] = points[-1][0]
    line["converged"] = None
    for steps, mean, _, _ in reversed(points):
        if mean < LEVEL:
            break
        line["converged"] = steps
    return line


def _spread(rows: Sequence[Row], agent: str, key: str) -> list[list[float]]:
    return _over([[(e["steps"], e[key]) for e in row[agent] if key in e] for row in rows])


def _scaled(losses: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    most = max((abs(loss) for _, loss in losses), default=1.0) or 1.0
    return [(steps, loss / most) for steps, loss in losses]


def _over(curves: Sequence[Sequence[tuple[float, float]]]) -> list[list[float]]:
    """Steps, mean, least and most of curves, where all of them have a point."""
    held = [dict(curve) for curve in curves]
    if not held:
        return []
    shared = sorted(set.intersection(*(set(curve) for curve in held)))
    points = []
    for steps in shared:
        values = [curve[steps] for curve in held]
        points.append([steps, statistics.fmean(values), min(values), max(values)])
    return points


def _rows(data: Data) -> list[Row]:
    lines: list[Row] = []
    for line in data["methods"]:
        measures = {**line["focus"], **line["exposure"], "loss": line["loss"]}
        for measure, points in measures.items():
            for steps, mean, least, most in points:
                lines.append(
                    {
                        "method": line["method"], "measure": measure, "steps": steps, "mean": mean,
                        "least": least, "most": most, "seeds": len(line["seeds"]),
                    }
                )  # fmt: skip
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    caption = (
        f"Means over {SEEDS} seeds; the shades reach from the least to the greatest. A^H of DASHA learns by "
        "itself, before A^L, so its curve is also that of the single agent. Returns are scaled to each "
        "method's own range, and losses to their own greatest value: the rewards differ. A loss is the mean "
        "of neighbouring updates."
    )
    return [Drawing(NAME, draw_curves(data["methods"], _TITLES), caption)]


def _text(data: Data) -> str:
    short = (
        "<p><strong>These trainings are short: they show that the curves are drawn, not how well anybody "
        "learns.</strong> Without --quick each method learns as long as its preset says.</p>"
        if data["is_short"]
        else ""
    )
    return (
        f"{short}<p>Every method learns from the percept cache of the scene set "
        f"{escape(data['scene_set'])}, on the training photographs of split {SPLIT}, and is judged on its "
        "validation photographs. All but <code>plus</code> learn in the paper's band of 1.4 to 2.0 m. The "
        "paper's axis is time of training; ours is steps, because a step from the cache takes no exposure "
        "and no settling. Steps of DASHA are those of A^L; A^H learned before. The paper's inset of the "
        "losses is the last panel.</p>"
    )


def _after(data: Data) -> str:
    head = (
        "method",
        "seeds",
        "steps",
        "best share within 2 px [%]",
        f"steps to stay above {100 * LEVEL:.0f} %",
    )
    lines = [
        (
            _TITLES[row["method"]],
            str(len(row["seeds"])),
            f"{row['trained']:.0f}",
            number_text(100 * row["best"], 1),
            _steps_text(row),
        )
        for row in data["methods"]
    ]
    return table(head, lines)


def _steps_text(row: Mapping[str, Any]) -> str:
    return "never" if row["converged"] is None else f"{row['converged']:.0f}"


def _claims(data: Data) -> list[Claim]:
    rows: Mapping[str, Mapping[str, Any]] = {row["method"]: row for row in data["methods"]}
    if data["is_short"] or not {"dasha", "phase", "ten"} <= rows.keys():
        return []
    three = {name: rows[name] for name in ("dasha", "phase", "ten")}
    told = ", ".join(
        f"{_TITLES[name]} {_steps_text(row)} of {row['trained']:.0f} steps, best {100 * row['best']:.0f} %"
        for name, row in three.items()
    )
    steps = {name: row["converged"] or math.inf for name, row in three.items()}
    return [
        Claim(
            "V.B, Figure 4",
            "DASHA converges faster than the competing methods",
            f"steps until {100 * LEVEL:.0f} % of the validation episodes end in focus: {told}",
            steps["dasha"] < min(steps["phase"], steps["ten"]),
        ),
        Claim("V.B", "training takes about 12 hours on average", _hours(rows["dasha"]), None),
    ]


def _hours(row: Mapping[str, Any]) -> str:
    """How long a rig would need for what was learned from the cache."""
    begun, whole = row["exposure"]["well_exposed"][-1][0], row["trained"]
    total = f"{STEP_S * (begun + whole) / 3600:.0f} hours"
    paced = (
        f"at {STEP_S:g} s a step, the pace of Table 1, {begun:.0f} steps of A^H and {whole:.0f} of A^L are"
    )
    if row["converged"] is None:
        return f"{paced} {total} on a rig; A^L had not converged by then"
    early = f"{STEP_S * (begun + row['converged']) / 3600:.0f}"
    return f"{paced} {total} on a rig, and A^L had converged after {early} of them"


PART = Part(
    name=NAME,
    title="Figure 4: learning curves",
    place=40,
    shows=("Figure 4",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
