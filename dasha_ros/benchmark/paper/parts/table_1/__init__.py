"""Table 1: time and steps of autofocus, the paper's numbers beside ours, and the methods that it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.drawing import new_figure
from dasha_ros.benchmark.paper.ground import ground_of
from dasha_ros.benchmark.paper.html import items, paragraph, table
from dasha_ros.benchmark.paper.part import Context, Data, Drawing, Part
from dasha_ros.benchmark.paper.parts.table_1.claims import claims
from dasha_ros.benchmark.paper.parts.table_1.facts import CLAIMS, FACTS, Facts
from dasha_ros.benchmark.paper.parts.table_1.measure import TEN, TIMES, readings_of, summed
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.learning.evaluation.settings import focus_setting

NAME = "table_1"
SETTINGS = {
    "planes_paper": "Objects at 1.4 to 2.0 m, the paper's band",
    "planes_wide": "Objects at 0.3 to 10 m",
}
QUICK_EPISODES, EPISODES = 4, 10
"""Episodes for each view, method and setting."""
READ_FRAMES = 20
_TIME_TITLES = ("exposure", "settling", "transport", "reading", "deciding")
_SHADES = ("#0072b2", "#56b4e9", "#e69f00", "#999999", "#000000")
_HATCHES = ("", "///", "...", "xxx", "")


def compute(context: Context) -> Data:
    """Play every method in both settings, and measure the time of inference."""
    names = list(FACTS)
    ground = ground_of(context, names, "focus")
    methods = ground.methods(names, context.seed)
    per_view = QUICK_EPISODES if context.quick else EPISODES
    rows: list[Row] = []
    with context.journal(NAME) as journal:
        readings = readings_of(methods, journal, READ_FRAMES, context.progress)
        for setting in SETTINGS:
            played = ground.play(
                context, NAME, methods, focus_setting(setting), per_view=per_view, journal=journal
            )
            for method in methods:
                mine = [trial for who, trial in played if who is method]
                rows.append(
                    {
                        "setting": setting,
                        "policy": method.policy,
                        **summed(mine, readings[method.encoder], per_view),
                    }
                )
        context.came_from(journal, NAME)
    return {"ground": ground.said, "methods": rows}


def _rows(data: Data) -> list[Row]:
    lines: list[Row] = []
    for row in data["methods"]:
        facts = FACTS[row["policy"]]
        line: Row = {
            "setting": row["setting"], "policy": row["policy"], "quality": facts.quality,
            "pre_trained": facts.pre_trained, "deep_features": facts.deep, "episodes": row["episodes"],
        }  # fmt: skip
        for key in ("in_focus", "detected", "af_steps", "af_seconds", *TIMES):
            held = row[key] or {"mean": None, "low": None, "high": None}
            line |= {key: held["mean"], f"{key}_low": held["low"], f"{key}_high": held["high"]}
            if key in row["ten"]:
                line[f"{key}_of_10"] = row["ten"][key]
        lines.append(line)
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    figure = new_figure(10.0, 1.2 + 0.3 * len(FACTS))
    panels = figure.subplots(1, len(SETTINGS), sharey=True)
    for axes, (setting, title) in zip(panels, SETTINGS.items(), strict=True):
        rows = [row for row in data["methods"] if row["setting"] == setting][::-1]
        left = [0.0] * len(rows)
        for key, name, shade, hatch in zip(TIMES, _TIME_TITLES, _SHADES, _HATCHES, strict=True):
            values = [row[key]["mean"] if row[key] else 0.0 for row in rows]
            axes.barh(
                range(len(rows)), values, left=left, color=shade, hatch=hatch, edgecolor="white",
                linewidth=0.3, label=name,
            )  # fmt: skip
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.set_yticks(range(len(rows)), [FACTS[row["policy"]].title for row in rows])
        for at, (row, end) in enumerate(zip(rows, left, strict=True)):
            axes.annotate(
                f"{100 * row['in_focus']['mean']:.0f} %", (end, at), (4, 0), textcoords="offset points",
                va="center", fontsize="small",
            )  # fmt: skip
        axes.set_xlim(0.0, 1.15 * max(left))
        axes.set_xlabel("time of autofocus [s]")
        axes.set_title(title, fontsize="medium")
        axes.grid(axis="x", alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(TIMES))
    caption = (
        "Mean time of the episodes that ended in focus, part by part. Beside a bar: the share of all "
        "episodes that did."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    return (
        f"<p>{escape(data['ground'])} The lens starts anywhere, at a good exposure, and the object is "
        "anywhere in the band. A step is a command to the lens. Steps and time are those of the "
        "episodes that ended with a true blur radius of at most 2 px at 640 px of width; the share that did "
        "stands beside them. "
        "Time is simulated rig time (exposure; settling of the lens; pictures over Gigabit Ethernet and "
        "commands over the serial line) plus inference measured on this machine (reading a picture of "
        "2048 x 1088, and deciding). The paper does not say what its time is made of.</p>"
        "<p>NR: no-reference. RB: reference-based, in training or when it acts. Intervals are 95 %, by "
        f"photograph. Averages over {TEN} experiments, as in the paper, come first.</p>"
    )


def _after(data: Data) -> str:
    claimed = [
        (f"{c.facts.title}, paper", *_marks(c.facts), number_text(c.steps), number_text(c.seconds), "", "")
        for c in CLAIMS
    ]
    parts = []
    for setting, title in SETTINGS.items():
        head = (
            "method", "IQA", "virtual pre-training", "deep features", f"steps, {TEN} runs",
            f"AF time [s], {TEN} runs", f"in focus, {TEN} runs", "episodes",
        )  # fmt: skip
        mine = [row for row in data["methods"] if row["setting"] == setting]
        short = [(FACTS[row["policy"]].title, *_marks(FACTS[row["policy"]]), *_ten(row)) for row in mine]
        parts.append(f"<h3>{escape(title)}</h3>")
        parts.append(table(head, [*(claimed if setting == "planes_paper" else ()), *short]))
        columns = (
            "method", "in focus", "detected", "steps", "AF time [s]",
            *(f"{name} [s]" for name in _TIME_TITLES),
        )  # fmt: skip
        parts.append(paragraph("All episodes, with 95 % intervals by photograph:"))
        parts.append(table(columns, [_whole(row) for row in mine]))
    notes = [f"{facts.title}: {facts.note}" for facts in FACTS.values() if facts.note]
    return "\n".join([*parts, items(notes)])


def _marks(facts: Facts) -> tuple[str, str, str]:
    return facts.quality, "yes" if facts.pre_trained else "no", "yes" if facts.deep else "no"


def _ten(row: Mapping[str, Any]) -> tuple[str, ...]:
    ten = row["ten"]
    return (
        number_text(ten["af_steps"]),
        number_text(ten["af_seconds"]),
        f"{100 * ten['in_focus']:.0f} %",
        str(row["episodes"]),
    )


def _whole(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        FACTS[row["policy"]].title,
        share_text(row["in_focus"]),
        share_text(row["detected"]),
        number_text(row["af_steps"]),
        number_text(row["af_seconds"]),
        *(number_text(row[key] and row[key]["mean"], 3) for key in TIMES),
    )


PART = Part(
    name=NAME,
    title="Table 1: steps and time of autofocus",
    place=10,
    shows=("Table 1",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=claims,
)
