"""What the hand-over saves: commands to the lens and its travel, with A^H first and with A^L alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure, reach
from dasha_ros.benchmark.paper.ground import ground_of, photographs_of
from dasha_ros.benchmark.paper.html import table
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part
from dasha_ros.benchmark.paper.sensor_distance import MM_PER_VOLT
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate, mean_of, share_of
from dasha_ros.learning.evaluation.evaluate import FocusTrial
from dasha_ros.learning.evaluation.settings import focus_setting

NAME = "hand_over"
PAIRS = {"plus": "plus", "paper": "paper", "coarse_to_fine": "histogram", "hill_climb": "histogram"}
"""A^L, and the A^H that hands over to it."""
SETTINGS = {"joint": "A^H first", "joint_no_handover": "A^L alone"}
QUICK_EPISODES, EPISODES = 4, 10
"""Episodes for each view, pair and setting."""
_MEASURES: dict[str, tuple[str, Callable[[FocusTrial], float]]] = {
    "in_focus": ("in focus", lambda t: float(t.focused)),
    "detected": ("detected", lambda t: float(t.detected)),
    "actuations": ("actuations", lambda t: float(t.actuations)),
    "travel_mm": ("lens travel [mm]", lambda t: MM_PER_VOLT * _travel(t)),
    "frames": ("pictures", lambda t: float(t.frames)),
    "seconds": ("exposure and settling [s]", lambda t: t.seconds),
}
_SHARES = ("in_focus", "detected")


def _travel(trial: FocusTrial) -> float:
    """Length of the way that the lens was commanded [V]."""
    return sum(abs(b - a) for a, b in pairwise(trial.positions))


def compute(context: Context) -> Data:
    """Play every pair from any exposure, with the hand-over and without."""
    ground = ground_of(context, list(PAIRS), "focus")
    per_view = QUICK_EPISODES if context.quick else EPISODES
    rows: list[Row] = []
    with context.journal(NAME) as journal:
        for policy, exposure in PAIRS.items():
            methods = ground.methods([policy], context.seed)
            for setting in SETTINGS:
                played = ground.play(
                    context, NAME, methods, focus_setting(setting), per_view=per_view, journal=journal,
                    exposure=exposure,
                )  # fmt: skip
                trials = [trial for _, trial in played]
                rows.append({"policy": policy, "exposure": exposure, "setting": setting, **_summed(trials)})
        context.came_from(journal, NAME)
    return {"ground": ground.said, "pairs": rows}


def _summed(trials: Sequence[FocusTrial]) -> Row:
    found: Row = {"episodes": len(trials)}
    for key, (_, value) in _MEASURES.items():
        clusters: dict[str, list[float]] = {}
        for trial in trials:
            clusters.setdefault(photographs_of(trial.view), []).append(value(trial))
        made = share_of(clusters) if key in _SHARES else mean_of(clusters)
        found[key] = {"mean": made.mean, "low": made.low, "high": made.high}
    return found


def saved(data: Data, policy: str, key: str) -> tuple[float, float]:
    """Means of a measure with the hand-over and without."""
    with_it, without = (
        next(r for r in data["pairs"] if (r["policy"], r["setting"]) == (policy, setting))
        for setting in SETTINGS
    )
    return with_it[key]["mean"], without[key]["mean"]


def _rows(data: Data) -> list[Row]:
    lines: list[Row] = []
    for row in data["pairs"]:
        line: Row = {key: row[key] for key in ("policy", "exposure", "setting", "episodes")}
        for key in _MEASURES:
            line |= {key: row[key]["mean"], f"{key}_low": row[key]["low"], f"{key}_high": row[key]["high"]}
        lines.append(line)
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    figure = new_figure(10.0, 3.2)
    panels = figure.subplots(1, 3)
    names = ("actuations", "travel_mm", "in_focus")
    titles = ("actuations of the lens an episode", "lens travel an episode [mm]", "in focus at the end [%]")
    for axes, key, title in zip(panels, names, titles, strict=True):
        scale = 100.0 if key in _SHARES else 1.0
        for j, (setting, label) in enumerate(SETTINGS.items()):
            rows = [row for row in data["pairs"] if row["setting"] == setting]
            estimates = [Estimate(**row[key]) for row in rows]
            axes.bar(
                [i + 0.4 * j - 0.2 for i in range(len(rows))], [scale * e.mean for e in estimates], 0.38,
                yerr=reach(estimates, scale), capsize=3, color=LOOKS[j][0], hatch=("", "///")[j],
                edgecolor="white", label=label,
            )  # fmt: skip
        axes.set_xticks(range(len(PAIRS)), [name.replace("_", "\n") for name in PAIRS], fontsize="small")
        axes.set_ylabel(title)
        axes.set_ylim(bottom=0.0)
        axes.grid(axis="y", alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    caption = (
        "Commands that changed the lens, its way, and what came of it, with 95 % intervals by photograph."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    return (
        "<p>The paper says that decentralisation preserves the hardware: the lens rests until the exposure "
        f"is good. {escape(data['ground'])} Episodes begin with any exposure of the table, the lens "
        "anywhere, and the object at 0.3 to 10 m. With the hand-over, A^H acts first, and A^L moves only if "
        "A^H succeeded. Without, A^L acts alone. An actuation is a command that changed the output of the "
        "lens's driver. Travel is in millimetres of the paper's sensor distance. A lens that is not moved "
        "because the goal was given up saves hardware too, so read the three panels together.</p>"
    )


def _after(data: Data) -> str:
    head = ("A^L (A^H)", "", "episodes", *(title for title, _ in _MEASURES.values()))
    return table(head, [_line(row) for row in data["pairs"]])


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    shares = (share_text(row[key]) for key in _SHARES)
    means = (number_text(row[key]) for key in _MEASURES if key not in _SHARES)
    who = f"{row['policy']} ({row['exposure']})"
    return who, SETTINGS[row["setting"]], str(row["episodes"]), *shares, *means


def _claims(data: Data) -> list[Claim]:
    found = []
    for policy in (name for name in ("paper", "plus") if name in {row["policy"] for row in data["pairs"]}):
        (acts, alone), (way, way_alone) = (saved(data, policy, key) for key in ("actuations", "travel_mm"))
        found.append(
            Claim(
                "I, VII",
                "decentralisation preserves the hardware",
                f"{policy}: {acts:.2f} actuations and {way:.2f} mm an episode with A^H first, {alone:.2f} "
                f"and {way_alone:.2f} mm with A^L alone; in play, where the paper speaks of training",
                acts < alone and way < way_alone,
            )
        )
    return found


PART = Part(
    name=NAME,
    title="Beyond the paper: what the hand-over saves",
    place=110,
    shows=(),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
