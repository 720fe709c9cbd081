"""Real pictures: the methods on focal stacks that a real lens took, never mixed with the twin's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.methods import MethodError, perception_for
from dasha_ros.benchmark.paper.drawing import new_figure, reach
from dasha_ros.benchmark.paper.html import items, table
from dasha_ros.benchmark.paper.part import Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate
from dasha_ros.benchmark.trials.stacks import StackStudy, play_stacks, stack_methods
from dasha_ros.benchmark.trials.summary import ALL, stack_rows
from dasha_ros.devices.stack.description import StackError
from dasha_ros.learning.evaluation.stacks import stacks_in
from dasha_ros.perception.errors import ModelError

NAME = "stacks"
POLICIES = (
    "plus", "planner", "greedy", "coarse_to_fine", "libcamera", "profile_fit", "golden_section", "hill_climb",
)  # fmt: skip
QUICK_POLICIES, QUICK_STACKS = ("plus", "golden_section"), 1
_SHARES = ("within_2px", "within_1px", "false_found", "detected")
_MEANS = ("moves_first", "moves_settled", "frames")
_TITLES = {
    "within_2px": "within 2 px",
    "within_1px": "within 1 px",
    "false_found": "found, but blurred",
    "detected": "detected",
    "moves_first": "steps to first in focus",
    "moves_settled": "steps to the end",
    "frames": "pictures",
}


def compute(context: Context) -> Data:
    """Play the methods from every frame of every stack, for every object."""
    if context.stacks is None:
        raise PartMissingError(
            "no folder of focal stacks was given: --stacks DIR (see docs: Use focal stacks)"
        )
    names = QUICK_POLICIES if context.quick else POLICIES
    made = StackStudy()
    try:
        stacks, skipped = stacks_in(context.stacks)
        chosen = stacks[:QUICK_STACKS] if context.quick else stacks
        with context.journal(NAME) as journal:
            played = play_stacks(
                chosen, stack_methods(names, seed=context.seed), perception_for(names, "focus"), journal,
                seed=context.seed, study=made,
                progress=lambda done, total, what: context.progress(done, total, f"{NAME}: {what}"),
            )  # fmt: skip
            context.came_from(journal, NAME)
    except (StackError, MethodError, ModelError) as error:
        raise PartMissingError(str(error)) from error
    rows = [row for row in stack_rows(played) if row["objects"] == ALL]
    left_out = {**skipped, **made.skipped, **made.refused}
    return {"left_out": {name: str(why) for name, why in left_out.items()}, "methods": rows}


def _rows(data: Data) -> list[Row]:
    return [dict(row) for row in data["methods"]]


def _estimate(row: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    if row[key] is None:
        return None
    return {"mean": row[key], "low": row[f"{key}_low"], "high": row[f"{key}_high"]}


def _draw(data: Data, folder: Path) -> list[Drawing]:
    figure = new_figure(9.0, 1.2 + 0.3 * len(data["methods"]))
    panels = figure.subplots(1, 2, sharey=True)
    rows = data["methods"][::-1]
    for axes, key, title in zip(
        panels,
        ("within_2px", "moves_settled"),
        ("within 2 px at the end [%]", "steps to the end"),
        strict=True,
    ):
        scale = 100.0 if key in _SHARES else 1.0
        estimates = [Estimate(row[key], row[f"{key}_low"], row[f"{key}_high"]) for row in rows]
        axes.errorbar(
            [scale * e.mean for e in estimates], range(len(rows)), xerr=reach(estimates, scale), fmt="s",
            color="black", capsize=3,
        )  # fmt: skip
        axes.set_yticks(range(len(rows)), [row["policy"] for row in rows])
        axes.set_xlabel(title)
        axes.set_xlim(0.0, 105.0 if key in _SHARES else None)
        axes.set_ylim(-0.5, len(rows) - 0.5)
        axes.grid(alpha=0.3)
    return [Drawing(NAME, figure, "Means over objects on real focal stacks, with 95 % intervals by stack.")]


def _text(data: Data) -> str:
    held = data["methods"][0]
    return (
        f"<p>{held['units']} objects of {held['clusters']} focal stacks, from every frame. Lens and blur are "
        "real, nothing is rendered, and the numbers are in no other table of this page. Constants of the "
        "reading of an object's own detail were chosen while looking at the stacks that were at hand; so "
        "<code>plus</code>, <code>planner</code> and <code>greedy</code> are not held out there.</p>"
    )


def _after(data: Data) -> str:
    head = ("method", "episodes", *_TITLES.values())
    lines = [
        (
            str(row["policy"]), str(row["episodes"]),
            *(share_text(_estimate(row, key)) for key in _SHARES),
            *(number_text(_estimate(row, key)) for key in _MEANS),
        )
        for row in data["methods"]
    ]  # fmt: skip
    left_out = [f"{name}: {why}" for name, why in data["left_out"].items()]
    listed = f"<p>Left out:</p>{items(left_out)}" if left_out else ""
    return table(head, lines) + listed


PART = Part(
    name=NAME,
    title="Real focal stacks",
    place=120,
    shows=(),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
)
