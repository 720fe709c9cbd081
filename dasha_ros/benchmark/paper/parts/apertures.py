"""Figure 8: where both agents bring lens and exposure, over light and the camera's aperture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.episodes import HEIGHT, WIDTH, Goal, goals_of
from dasha_ros.benchmark.methods import exposure_methods, focus_methods, perception_for
from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure, reach
from dasha_ros.benchmark.paper.html import table
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.sensor_distance import sensor_distance_mm
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate, mean_of, share_of
from dasha_ros.benchmark.trials.journal import Journal, key_of
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene, scene_names
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, FACTORY_POSITION, World

NAME = "apertures"
POLICY = "plus"
"""Of both agents. A^L of `paper` is bound to the aperture it was trained with."""
STOPS, LIGHTS_LX = (2.0, 2.8, 4.0, 5.6, 8.0), (13.0, 37.0, 85.0, 150.0, 300.0)
QUICK_STOPS, QUICK_LIGHTS_LX = (2.0, 4.0, 8.0), (13.0, 85.0, 300.0)
QUICK_GOALS = (Goal("cat", "cat"), Goal("street", "person"))
ROBUST = 0.9
"""From this share of found objects on, in every combination, it counts as robust."""
_MEANS = ("displacement_mm", "focused_mm", "exposure_ms", "blur_px")
_FORMAT = 2
"""Raise it when an episode of the same id would go another way: old rows are then played anew."""
_KEYS = frozenset(
    {"f_number", "illuminance_lx", "object", "photograph", "code", "was_exposed", "found", *_MEANS}
)
"""What the row of a goal holds."""


def compute(context: Context) -> Data:
    """Play one goal for each object, light and aperture, from the factory's values."""
    stops, lights = (QUICK_STOPS, QUICK_LIGHTS_LX) if context.quick else (STOPS, LIGHTS_LX)
    goals = QUICK_GOALS if context.quick else goals_of(scene_names())
    try:
        perception = perception_for([POLICY], "focus")
    except ModelError as error:
        raise PartMissingError(str(error)) from error
    with context.journal(NAME) as journal:
        rows = []
        total = len(stops) * len(lights) * len(goals)
        for done, row in enumerate(_played(perception, (stops, lights, goals), context.seed, journal), 1):
            rows.append(row)
            context.progress(done, total, f"{NAME}: f/{row['f_number']:g}, {row['illuminance_lx']:g} lx")
        context.came_from(journal, NAME)
    return {"policy": POLICY, "goals": [str(goal) for goal in goals], "cells": _summed(rows)}


def _played(
    perception: Perception,
    grid: tuple[Sequence[float], Sequence[float], Sequence[Goal]],
    seed: int,
    journal: Journal,
) -> Iterator[Row]:
    stops, lights, goals = grid
    who = exposure_methods(POLICY)[0].digest, focus_methods(POLICY)[0].digest
    for stop, goal in product(stops, goals):
        rig: TwinRig | None = None
        for lux in lights:
            name = key_of(_FORMAT, *who, stop, str(goal), lux, seed)
            row = journal.take(name, _KEYS)
            if row is None:
                if rig is None:
                    rig = TwinRig(
                        perception, World(goal.scene), lens=lens_model(f_number=stop), width=WIDTH,
                        height=HEIGHT,
                    )  # fmt: skip
                row = journal.add(name, _cell(rig, goal, lux, seed))
            yield row


def _cell(rig: TwinRig, goal: Goal, lux: float, seed: int) -> Row:
    scene = load_scene(goal.scene)
    rig.begin(World(goal.scene, lux, scene.distances_m), FACTORY_POSITION, FACTORY_EXPOSURE_US, seed)
    exposed = run_exposure(rig, exposure_policy(POLICY), ExposureTask(rig.table))
    code, last = exposed.code, exposed.percept
    if code is ErrorCode.NONE:
        focused = run_focus(rig, focus_policy(POLICY), FocusTask(rig.lens, frozenset({goal.label})))
        code, last = focused.code, focused.percept
    assert last is not None, "a twin always answers"
    targets = [1.0 / m for m in scene.object_distances(goal.label, scene.distances_m)]
    target = min(targets, key=lambda each: abs(rig.focus_dioptres - each))
    start_mm = sensor_distance_mm(FACTORY_POSITION)
    return {
        "f_number": rig.lens.f_number,
        "illuminance_lx": lux,
        "object": str(goal),
        "photograph": next(scene.layers[o.layer].photo for o in scene.objects if o.label == goal.label),
        "code": code.name,
        "was_exposed": exposed.code is ErrorCode.NONE,
        "found": code is ErrorCode.NONE,
        "displacement_mm": round(sensor_distance_mm(last.lens.commanded_position) - start_mm, 4),
        "focused_mm": round(sensor_distance_mm(rig.lens.position(target)) - start_mm, 4),
        "exposure_ms": round((last.capture.exposure_us - FACTORY_EXPOSURE_US) / 1e3, 4),
        "blur_px": round(abs(rig.lens.blur_px(rig.focus_dioptres, target)), 3),
    }


def _summed(rows: Sequence[Row]) -> list[Row]:
    """One row for each aperture and light; means are of the goals that ended with the object found."""
    cells = dict.fromkeys((row["f_number"], row["illuminance_lx"]) for row in rows)
    found = []
    for stop, lux in cells:
        mine = [row for row in rows if (row["f_number"], row["illuminance_lx"]) == (stop, lux)]
        line: Row = {"f_number": stop, "illuminance_lx": lux, "episodes": len(mine)}
        for key in ("was_exposed", "found"):
            line[key] = _held(share_of(_clusters(mine, key)))
        ended = [row for row in mine if row["found"]]
        for key in _MEANS:
            line[key] = _held(mean_of(_clusters(ended, key))) if ended else None
        blurred = [row["blur_px"] > FOCUSED_PX for row in ended]
        line["blurred"] = sum(blurred) / len(blurred) if blurred else None
        found.append(line)
    return found


def _clusters(rows: Sequence[Row], key: str) -> dict[str, list[float]]:
    clusters: dict[str, list[float]] = {}
    for row in rows:
        clusters.setdefault(row["photograph"], []).append(float(row[key]))
    return clusters


def _held(made: Estimate) -> Row:
    return {"mean": made.mean, "low": made.low, "high": made.high}


def _rows(data: Data) -> list[Row]:
    lines: list[Row] = []
    for cell in data["cells"]:
        line: Row = {key: cell[key] for key in ("f_number", "illuminance_lx", "episodes", "blurred")}
        for key in ("was_exposed", "found", *_MEANS):
            held = cell[key] or {"mean": None, "low": None, "high": None}
            line |= {key: held["mean"], f"{key}_low": held["low"], f"{key}_high": held["high"]}
        lines.append(line)
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    figure = new_figure(11.0, 3.8)
    panels = figure.subplots(1, 3)
    titles = {
        "displacement_mm": "change of the lens's position [mm]",
        "exposure_ms": "change of the exposure time [ms]",
        "blur_px": "true blur radius at the end\n[px at 640 px of width]",
    }
    stops = list(dict.fromkeys(cell["f_number"] for cell in data["cells"]))
    for axes, (key, title) in zip(panels, titles.items(), strict=True):
        for number, (stop, (colour, marker, line)) in enumerate(zip(stops, LOOKS, strict=False)):
            mine = [c for c in data["cells"] if c["f_number"] == stop and c[key] is not None]
            aside = 1.02 ** (number - len(stops) / 2)  # beside each other, so that all bars can be seen
            estimates = [Estimate(**cell[key]) for cell in mine]
            at = [cell["illuminance_lx"] * aside for cell in mine]
            axes.errorbar(
                at, [e.mean for e in estimates], yerr=reach(estimates) if key == "blur_px" else None,
                color=colour, marker=marker, linestyle=line, capsize=2, label=f"f/{stop:g}",
            )  # fmt: skip
        axes.set_xscale("log")
        lights = sorted({cell["illuminance_lx"] for cell in data["cells"]})
        axes.set_xticks(lights, [f"{lux:g}" for lux in lights])
        axes.minorticks_off()
        axes.set_xlabel("illuminance [lx]")
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
    sharp = [cell["focused_mm"]["mean"] for cell in data["cells"] if cell["focused_mm"]]
    if sharp:
        panels[0].axhspan(min(sharp), max(sharp), color="0.85", zorder=0)
        panels[0].axhline(sharp[0], color="0.6", linewidth=1.0, zorder=0)
    panels[1].set_yscale("symlog", linthresh=10.0)
    changes = [cell["exposure_ms"]["mean"] for cell in data["cells"] if cell["exposure_ms"]]
    panels[1].set_ylim(bottom=1.2 * min(0.0, *changes))
    panels[2].axhline(FOCUSED_PX, color="0.6", linewidth=1.0)
    panels[2].set_ylim(bottom=0.0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(stops))
    caption = (
        "Means over the objects that were found, with 95 % intervals by photograph for the blur. Changes "
        f"are from the factory's values: {FACTORY_POSITION:g} V and {FACTORY_EXPOSURE_US / 1e3:g} ms. Grey "
        "on the left: where the objects are sharp; on the right: what counts as focused."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    return (
        f"<p>Both agents of <code>{data['policy']}</code>, one goal for each of {len(data['goals'])} "
        "objects of the shipped scenes, each light and each aperture, rendered by the twin and read by the "
        "embedded perception. Positions are the paper's distances from the sensor to the lens (24.0 V is "
        "36.4 mm, 70.0 V is 24.0 mm). The paper does not say where its changes begin; these begin at the "
        "factory's values.</p>"
    )


def _after(data: Data) -> str:
    head = (
        "aperture", "light", "goals", "well exposed", "found", "lens [mm]", "focused would be [mm]",
        "exposure [ms]", "blur [px]", "found but blurred",
    )  # fmt: skip
    return table(head, [_line(cell) for cell in data["cells"]])


def _line(cell: Mapping[str, Any]) -> tuple[str, ...]:
    blurred = "-" if cell["blurred"] is None else f"{100 * cell['blurred']:.0f} %"
    means = (number_text(cell[key] and cell[key]["mean"]) for key in _MEANS)
    shares = (share_text(cell[key]) for key in ("was_exposed", "found"))
    return (
        f"f/{cell['f_number']:g}", f"{cell['illuminance_lx']:g} lx", str(cell["episodes"]), *shares, *means,
        blurred,
    )  # fmt: skip


def blur_of_dark_and_bright(data: Data) -> tuple[float, float]:
    """Mean blur at the end in the darkest and in the brightest light [px]; nan where nothing was found."""
    lights = sorted({cell["illuminance_lx"] for cell in data["cells"]})
    means = []
    for lux in (lights[0], lights[-1]):
        mine = [c["blur_px"]["mean"] for c in data["cells"] if c["illuminance_lx"] == lux and c["blur_px"]]
        means.append(sum(mine) / len(mine) if mine else math.nan)
    return means[0], means[1]


def _claims(data: Data) -> list[Claim]:
    dark, bright = blur_of_dark_and_bright(data)
    exposed = [cell for cell in data["cells"] if cell["was_exposed"]["mean"] == 1.0]
    least = min((cell["found"]["mean"] for cell in exposed), default=0.0)
    return [
        Claim(
            "VI, Figure 8",
            "the system is robust to apertures and light",
            f"the object is found in at least {100 * least:.0f} % of the goals in each of the "
            f"{len(exposed)} of {len(data['cells'])} combinations in which all of them could be exposed",
            least >= ROBUST,
        ),
        _compensation(data),
        Claim(
            "VI, Figure 8",
            "it blurs on purpose to make up for missing light",
            f"mean blur at the end is {dark:.2f} px in the darkest light and {bright:.2f} px in the "
            f"brightest, of {FOCUSED_PX:g} px that count as focused ({data['policy']}, not the preset "
            "paper)",
            dark > FOCUSED_PX > bright,
        ),
    ]


def _compensation(data: Data) -> Claim:
    """Whether more light makes exposures shorter, at every aperture; and how far the lens follows."""
    curves: dict[float, list[tuple[float, float]]] = {}
    for cell in data["cells"]:
        if cell["exposure_ms"] is not None:
            at = cell["exposure_ms"]["mean"], cell["displacement_mm"]["mean"]
            curves.setdefault(cell["f_number"], []).append(at)
    falling = sum(all(b[0] < a[0] for a, b in pairwise(curve)) for curve in curves.values())
    span = max(max(mm for _, mm in curve) - min(mm for _, mm in curve) for curve in curves.values())
    return Claim(
        "VI, Figure 8",
        "it makes up for extra light by a shorter exposure, or by focusing anew",
        f"the exposure falls with every step of light at {falling} of {len(curves)} apertures; the mean lens "
        f"position differs by {span:.2f} mm at most over the lights of an aperture",
        falling == len(curves),
    )


PART = Part(
    name=NAME,
    title="Figure 8: lens and exposure over light and aperture",
    place=80,
    shows=("Figure 8",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
