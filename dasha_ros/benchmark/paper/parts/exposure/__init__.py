"""Figure 3: histograms of pictures that A^H exposed, and of built-in auto exposure, over 13 to 300 lx."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure
from dasha_ros.benchmark.paper.ground import ground_of
from dasha_ros.benchmark.paper.html import paragraph, table
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part
from dasha_ros.benchmark.paper.parts.exposure.measure import NAMES, ceiling, play, summed
from dasha_ros.benchmark.paper.words import number_text, share_text
from dasha_ros.benchmark.rows import Row
from dasha_ros.perception.quality.histogram import BINS
from dasha_ros.twin.world import PAPER_ILLUMINANCES_LX

NAME = "exposure"
QUICK_LIGHTS_LX = (13.0, 33.0, 83.0, 153.0, 300.0)
ALIKE = 0.8
"""From this overlap of two histograms on, 0 to 1, they count as similar."""
MOSTLY = 0.9
"""From this share on, a criterion counts as reached."""
_SHARES = ("reached", "good_peak", "good_peak_where_possible", "acceptable", "well_exposed")
_MEANS = ("steps", "overlap", "ev_apart")
_BIN = 255.0 / BINS


def compute(context: Context) -> Data:
    """Play every method at every light of the paper, and try every exposure once in each view."""
    ground = ground_of(context, list(NAMES), "exposure")
    lights = QUICK_LIGHTS_LX if context.quick else PAPER_ILLUMINANCES_LX
    with context.journal(NAME) as journal:
        rows = play(ground, lights, context.seed, journal, context.progress)
        ceilings = ceiling(ground, context.seed, journal, context.progress)
        context.came_from(journal, NAME)
    return {
        "ground": ground.said,
        "lights_lx": list(lights),
        "methods": summed(rows, ceilings),
        "views": len(ceilings),
        "possible": {rule: sum(row[rule] for row in ceilings) for rule in ("good_peak", "well_exposed")},
    }


def _rows(data: Data) -> list[Row]:
    lines: list[Row] = []
    for row in data["methods"]:
        line: Row = {"policy": row["policy"], "episodes": row["episodes"]}
        for key in (*_SHARES, *_MEANS):
            held = row[key] or {"mean": None, "low": None, "high": None}
            line |= {key: held["mean"], f"{key}_low": held["low"], f"{key}_high": held["high"]}
        line |= {f"share_of_bin_{i}": share for i, share in enumerate(row["shares"])}
        line |= {
            f"exposure_us_at_{x:g}_lx": c[0] for x, c in zip(row["lights_lx"], row["curve"], strict=True)
        }
        lines.append(line)
    return lines


def _draw(data: Data, folder: Path) -> list[Drawing]:
    figure = new_figure(10.0, 4.0)
    left, right = figure.subplots(1, 2)
    centres = [_BIN * (i + 0.5) for i in range(BINS)]
    for row, (colour, marker, line) in zip(data["methods"], LOOKS, strict=False):
        left.plot(
            centres, [100 * share for share in row["shares"]], color=colour, marker=marker, linestyle=line,
            label=NAMES[row["policy"]],
        )  # fmt: skip
        middle, least, most = ([c[i] / 1e3 for c in row["curve"]] for i in range(3))
        right.plot(
            row["lights_lx"], middle, color=colour, marker=marker, linestyle=line, markersize=4,
            markevery=max(1, len(middle) // 8),
        )  # fmt: skip
        right.fill_between(row["lights_lx"], least, most, color=colour, alpha=0.08, linewidth=0)
    left.axvspan(50, 150, color="0.9", zorder=0)
    left.annotate("peak that Eq. 7 pays +1 for", (100, 1.0), (0, -4), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="center", va="top", fontsize="small")  # fmt: skip
    left.set_xlim(0, 255)
    left.set_ylim(bottom=0.0)
    left.margins(y=0.15)
    left.set_xlabel("grey level, 0 to 255")
    left.set_ylabel("share of the pixels in a bin [%]")
    right.set_xscale("log")
    right.set_yscale("log")
    ticks = [13, 30, 60, 100, 200, 300]
    right.set_xticks(ticks, [str(tick) for tick in ticks])
    right.minorticks_off()
    right.set_xlabel("illuminance [lx]")
    right.set_ylabel("exposure time [ms]")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3)
    caption = (
        "Left: mean histogram of the last pictures over all lights and views, in the ten bins of Eq. 6. "
        "Right: median exposure time over light; the shades reach from the shortest to the longest."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    lights = data["lights_lx"]
    return (
        f"<p>{escape(data['ground'])} {len(lights)} lights from {lights[0]:g} to {lights[-1]:g} lx. Every "
        "episode begins with the camera's factory exposure (10 ms) and the lens at rest (24.4 V), as the "
        "paper's do. The camera's own auto exposure is played by two rivals that know the mean grey level "
        "alone. The paper does not say whether its histogram is of one picture or of many; here it is the "
        "mean.</p>"
    )


def _after(data: Data) -> str:
    head = (
        "method", "ended content", "Eq. 7: peak in 50..150", "the same, where possible",
        "Algorithm 1: peak in 10..90 %", "well exposed (mean grey)", "commands",
        "overlap with auto exposure, 0 to 1", "apart from it [EV]",
    )  # fmt: skip
    limits = (
        f"In {data['views'] - data['possible']['good_peak']} of {data['views']} views no exposure of the "
        f"table puts the peak where Eq. 7 pays +1. Some exposure is good by the mean grey level in "
        f'{data["possible"]["well_exposed"]} of them. The column "where possible" leaves the others out: it '
        "is A^H against its criterion's ceiling."
    )
    return table(head, [_line(row) for row in data["methods"]]) + paragraph(limits)


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    shares = (share_text(row[key]) for key in _SHARES)
    return NAMES[row["policy"]], *shares, *(number_text(row[key]) for key in _MEANS)


def _claims(data: Data) -> list[Claim]:
    rows = {row["policy"]: row for row in data["methods"]}
    found = [
        Claim(
            "V.A.2, Figure 3",
            "the RL agent functions similarly to the camera's own auto exposure",
            f"{name}: histograms overlap by {number_text(rows[name]['overlap'])} of 1, exposures are "
            f"{number_text(rows[name]['ev_apart'])} EV apart; {ALIKE:g} and more counts as similar",
            rows[name]["overlap"]["mean"] >= ALIKE,
        )
        for name in ("paper", "plus")
        if name in rows
    ]
    if (paper := rows.get("paper")) is not None:
        found.append(
            Claim(
                "IV.C, Eq. 7",
                "A^H brings the histogram's peak to 50 to 150",
                f"{share_text(paper['good_peak'])} of the episodes; where any exposure can, "
                f"{share_text(paper['good_peak_where_possible'])}. No exposure can in "
                f"{data['views'] - data['possible']['good_peak']} of {data['views']} views",
                paper["good_peak_where_possible"] is not None
                and paper["good_peak_where_possible"]["mean"] >= MOSTLY,
            )
        )
    return found


PART = Part(
    name=NAME,
    title="Figure 3: exposure by A^H and by the camera",
    place=30,
    shows=("Figure 3",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
