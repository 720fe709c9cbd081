"""Recall gained: what detectors find with DASHA off and on, over light and defocus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dasha_ros.benchmark.episodes import Goal, goals_of
from dasha_ros.benchmark.paper.html import items, table
from dasha_ros.benchmark.paper.off_the_shelf import present
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.recall.figure import draw_recall
from dasha_ros.benchmark.paper.parts.recall.measure import (
    MIN_SCORE,
    Agents,
    Grid,
    Recall,
    recall_rows,
    rescued,
    summed_up,
)
from dasha_ros.benchmark.paper.words import share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate
from dasha_ros.perception.errors import ModelError
from dasha_ros.twin.scene import scene_names

NAME = "recall"
RESCUED = 0.9
"""From this share on, what a detector missed with DASHA off counts as found with it on."""
DETECTORS_OF_PAPER = 3
_EXPLAINED = (
    "<p>A detector that nobody changed looks at the objects of the shipped scenes in the digital twin. "
    "<em>Off</em>: one picture with the camera's factory exposure, and the lens out of focus by what the "
    "axis says. <em>On</em>: both agents act first, with that detector in their loop. Recall is the share of "
    f"pictures in which the object's label has a score of at least {MIN_SCORE:g}. Intervals are 95 %, by "
    "photograph: pictures of one photograph are no independent draws.</p>"
)


def grid_of(context: Context) -> Grid:
    """What is varied in a run."""
    if context.quick:
        few = (("cat", "cat"), ("cup", "cup"), ("street", "bus"), ("street", "person"))
        return Grid((37.0, 300.0), (0.0, 2.0), tuple(Goal(*goal) for goal in few), context.seed)
    lights, defoci = (13.0, 37.0, 100.0, 300.0), (0.0, 0.5, 1.0, 2.0)
    return Grid(lights, defoci, goals_of(scene_names()), context.seed)


def compute(context: Context) -> Data:
    """Play the grid with every detector that is there; ``missing`` says which are not, and why."""
    grid, agents = grid_of(context), Agents()
    detectors, missing = present(context)
    rows: list[Row] = []
    with context.journal(NAME) as journal:
        for name, detector in detectors.items():
            try:
                perception = agents.perception(detector)
            except ModelError as error:
                missing[name] = str(error)
                continue
            rows += recall_rows(name, perception, agents, grid, journal, progress=context.progress)
        context.came_from(journal, NAME)
    for name, why in missing.items():
        context.note(f"{name} is left out: {why}")
    if not rows:
        raise PartMissingError(f"no detector could be loaded: {'; '.join(missing.values())}")
    return {
        "missing": missing,
        "recall": [asdict(found) for found in summed_up(rows)],
        "rescued": {name: asdict(share) for name, share in rescued(rows).items()},
    }


def _found(data: Data) -> list[Recall]:
    return [
        Recall(**{**line, "off": Estimate(**line["off"]), "on": Estimate(**line["on"])})
        for line in data["recall"]
    ]


def _rows(data: Data) -> list[Row]:
    lines = []
    for r in _found(data):
        line: Row = {
            "detector": r.detector, "illuminance_lx": r.illuminance_lx, "defocus_d": r.defocus_d,
            "episodes": r.episodes,
        }  # fmt: skip
        for key, estimate in (("off", r.off), ("on", r.on)):
            line |= {key: estimate.mean, f"{key}_low": estimate.low, f"{key}_high": estimate.high}
        lines.append(line)
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    caption = (
        "Share of pictures in which the object is found, with DASHA off (circles, dashed) and on (squares)."
    )
    return [Drawing(NAME, draw_recall(_found(data)), caption)]


def _after(data: Data) -> str:
    head = ("detector", "light", "episodes", "off", "on", "on / off")
    lines = [_line(r) for r in _found(data) if r.defocus_d is None]
    absent = [f"{name}: {why}" for name, why in data["missing"].items()] or ["none"]
    return f"{table(head, lines)}\n<h3>Detectors that were missing</h3>\n{items(absent)}"


def _line(r: Recall) -> Sequence[str]:
    light = "all" if r.illuminance_lx is None else f"{r.illuminance_lx:g} lx"
    ratio = f"{r.on.mean / r.off.mean:.1f}" if r.off.mean else "off finds nothing"
    return r.detector, light, str(r.episodes), _percent(r.off), _percent(r.on), ratio


def _percent(estimate: Estimate) -> str:
    mean = f"{100 * estimate.mean:.0f} %"
    if estimate.low is None or estimate.high is None:
        return f"{mean} (one photograph: no interval)"
    return f"{mean} ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"


def _claims(data: Data) -> list[Claim]:
    shares = data["rescued"]
    told = ", ".join(f"{share_text(share)} of {name}" for name, share in shares.items())
    return [
        Claim(
            "VII",
            "detects objects in dark and blurry initial states where three detectors originally failed",
            f"of the pictures in which a detector missed the object with DASHA off, found with it on: {told}",
            len(shares) >= DETECTORS_OF_PAPER and all(share["mean"] >= RESCUED for share in shares.values()),
        )
    ]


PART = Part(
    name=NAME,
    title="Recall gained over light and defocus",
    place=100,
    shows=(),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=lambda data: _EXPLAINED,
    after=_after,
    claims=_claims,
)
