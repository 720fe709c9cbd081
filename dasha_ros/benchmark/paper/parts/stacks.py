"""Real pictures: the methods of Table 1 on focal stacks that a real lens took, never mixed with the twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from dasha_ros.benchmark.methods import MethodError, perception_for
from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure, reach
from dasha_ros.benchmark.paper.html import items, paragraph, table
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.table_1.claims import DETECTED, STEPS
from dasha_ros.benchmark.paper.parts.table_1.facts import FACTS
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate
from dasha_ros.benchmark.trials.stacks import StackStudy, play_stacks, stack_methods
from dasha_ros.benchmark.trials.summary import ALL, FAR, NEAR, stack_rows
from dasha_ros.devices.stack.description import StackError
from dasha_ros.learning.evaluation.stacks import stacks_in
from dasha_ros.optics.tone import Tone
from dasha_ros.perception.errors import ModelError

NAME = "stacks"
UNABLE = {
    "phase_shift_rl": "it moves in volts of the lens that it learned with, and its signal is the truth",
    "ten_dqn": "it moves in volts of the lens that it learned with",
    "constant": "it has to know the distance of the objects",
}
"""Methods of Table 1 that are not played, and why."""
POLICIES = tuple(name for name in FACTS if name not in UNABLE)
TONES: tuple[Tone, ...] = get_args(Tone)
QUICK_POLICIES, QUICK_STACKS, QUICK_TONES = ("plus", "golden_section"), 1, TONES[:1]
_SHARES = ("within_2px", "within_1px", "false_found", "found_another", "detected")
_MEANS = ("moves_first", "moves_settled")
_TITLES = {
    "within_2px": "within 2 px",
    "within_1px": "within 1 px",
    "false_found": "found, but blurred",
    "found_another": "found another thing",
    "detected": "detected",
    "moves_first": "steps to first in focus",
    "moves_settled": "steps to the end",
}
_OBJECTS = {ALL: "all objects", NEAR: "near objects", FAR: "far objects"}


def compute(context: Context) -> Data:
    """Play the methods from every frame of every stack, for every object, with each response curve."""
    if context.stacks is None:
        raise PartMissingError(
            "no folder of focal stacks was given: --stacks DIR (see docs: Use focal stacks)"
        )
    names = QUICK_POLICIES if context.quick else POLICIES
    tones = QUICK_TONES if context.quick else TONES
    made = StackStudy()
    try:
        stacks, skipped = stacks_in(context.stacks)
        chosen = stacks[:QUICK_STACKS] if context.quick else stacks
        methods, perception = stack_methods(names, seed=context.seed), perception_for(names, "focus")
        with context.journal(NAME) as journal:
            for tone in tones:
                play_stacks(
                    chosen, methods, perception, journal, tone=tone, seed=context.seed, study=made,
                    progress=lambda done, total, what: context.progress(done, total, f"{NAME}: {what}"),
                )  # fmt: skip
            context.came_from(journal, NAME)
            rows = stack_rows(journal.played)
    except (StackError, MethodError, ModelError) as error:
        raise PartMissingError(str(error)) from error
    left_out = {**skipped, **made.skipped, **({} if context.quick else UNABLE), **made.refused}
    return {"left_out": {name: str(why) for name, why in left_out.items()}, "methods": rows}


def _rows(data: Data) -> list[Row]:
    return [dict(row) for row in data["methods"]]


def _settings(data: Data) -> list[str]:
    return list(dict.fromkeys(row["setting"] for row in data["methods"]))


def rows_of(data: Data, setting: str, objects: str) -> list[Mapping[str, Any]]:
    """The rows of the methods with one response curve, for all, near or far objects."""
    return [row for row in data["methods"] if (row["setting"], row["objects"]) == (setting, objects)]


def _estimate(row: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    if row[key] is None:
        return None
    return {"mean": row[key], "low": row[f"{key}_low"], "high": row[f"{key}_high"]}


def _draw(data: Data, folder: Path) -> list[Drawing]:
    names = list(dict.fromkeys(row["policy"] for row in data["methods"]))[::-1]
    figure = new_figure(9.0, 1.6 + 0.36 * len(names))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, key, title in zip(
        panels,
        ("within_2px", "moves_settled"),
        ("within 2 px at the end [%]", "steps to the end"),
        strict=True,
    ):
        scale = 100.0 if key in _SHARES else 1.0
        for number, setting in enumerate(_settings(data)):
            rows = rows_of(data, setting, ALL)
            estimates = [Estimate(row[key], row[f"{key}_low"], row[f"{key}_high"]) for row in rows]
            colour, marker, _ = LOOKS[number]
            axes.errorbar(
                [scale * e.mean for e in estimates],
                [names.index(row["policy"]) + 0.12 - 0.24 * number for row in rows],
                xerr=reach(estimates, scale), fmt=marker, color=colour, capsize=3, label=_curve(setting),
            )  # fmt: skip
        axes.set_yticks(range(len(names)), [FACTS[name].title for name in names])
        axes.set_xlabel(title)
        axes.set_xlim(0.0, 105.0 if key in _SHARES else None)
        axes.set_ylim(-0.5, len(names) - 0.5)
        axes.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
    return [Drawing(NAME, figure, "Means over objects on real focal stacks, with 95 % intervals by stack.")]


def _curve(setting: str) -> str:
    tone = setting.removeprefix(f"{NAME}_")
    return "sRGB response" if tone == "srgb" else f"{tone} response"


def _text(data: Data) -> str:
    held = rows_of(data, _settings(data)[0], ALL)[0]
    return paragraph(
        f"{held['units']} objects of {held['clusters']} focal stacks, from every frame. Lens and blur are "
        "real, nothing is rendered, and the numbers are in no other table of this page. A stack has no time, "
        "so there is none of autofocus. Near objects are sharpest in the nearer half of their stack. "
        "Constants of the reading of an object's own detail were chosen while looking at the stacks that "
        "were at hand; so plus, planner and greedy are not held out there."
    )


def _after(data: Data) -> str:
    parts = []
    for setting in _settings(data):
        for objects, title in _OBJECTS.items():
            if rows := rows_of(data, setting, objects):
                held = f"{rows[0]['units']} of {rows[0]['clusters']} stacks"
                parts += [f"<h3>{title.capitalize()}, {_curve(setting)}: {held}</h3>", _table(rows)]
    left_out = [f"{name}: {why}" for name, why in data["left_out"].items()]
    if left_out:
        parts += ["<p>Left out:</p>", items(left_out)]
    return "\n".join(parts)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ("method", "episodes", *_TITLES.values())
    return table(head, [line(row) for row in rows])


def line(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a method in a table: its title, episodes, shares and means."""
    return (
        FACTS[row["policy"]].title, str(row["episodes"]),
        *(share_text(_estimate(row, key)) for key in _SHARES),
        *(number_text(_estimate(row, key)) for key in _MEANS),
    )  # fmt: skip


def _claims(data: Data) -> list[Claim]:
    """What the numbers of ``plus`` on real pictures say; the preset ``paper`` is bound to its lens."""
    found: list[Claim] = []
    for setting in _settings(data):
        rows = {o: [r for r in rows_of(data, setting, o) if r["policy"] == "plus"] for o in _OBJECTS}
        if not rows[ALL]:
            continue
        (every,) = rows[ALL]
        where = f"plus on real focal stacks, {_curve(setting)}"
        within = {o: share_text(_estimate(mine[0], "within_2px")) for o, mine in rows.items() if mine}
        found += [
            Claim(
                "V.A.1, Table 1",
                "once trained, 2 steps on average find the focus",
                f"{where}: {number_text(_estimate(every, 'moves_settled'))} steps to the end, first in focus "
                f"after {number_text(_estimate(every, 'moves_first'))}; within 2 px {within[ALL]}, detected "
                f"{share_text(_estimate(every, 'detected'))}",
                every["within_2px"] >= DETECTED and every["moves_settled"] <= STEPS,
            ),
            Claim(
                "V.A.1",
                "it finds the focus regardless of the arrangement of the objects",
                f"{where}: within 2 px "
                + ", ".join(f"{text} of {_OBJECTS[objects]}" for objects, text in within.items()),
                all(mine[0]["within_2px"] >= DETECTED for mine in rows.values() if mine),
            ),
        ]
    return found


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
    claims=_claims,
)
