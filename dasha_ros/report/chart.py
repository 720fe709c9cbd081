"""Draws a line chart of a few quantities over the steps, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, GAP = 760, 96, 26
LEFT, RIGHT, TOP = 84, 12, 22


@dataclass(frozen=True)
class Series:
    """One quantity over the steps."""

    title: str
    values: Sequence[float | None]
    """``None`` leaves a gap."""
    logarithmic: bool = False
    label: Callable[[float], str] = "{:.4g}".format
    """Formats a value for the axis."""


def chart(series: Sequence[Series], agents: Sequence[str]) -> str:
    """Draw one panel for each quantity, over the same steps.

    Args:
        series: The quantities; each has as many values as ``agents``.
        agents: The agent that made each step; a line separates one agent from the next.
    """
    height = TOP + len(series) * (PANEL + GAP) + 8
    course = f"{len(agents)} step{'' if len(agents) == 1 else 's'}"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Course of the goal, step by step">',
        f"<title>{escape(', '.join(s.title for s in series))} over {course}</title>",
    ]
    for n, one in enumerate(series):
        parts.append(_panel(one, agents, TOP + n * (PANEL + GAP)))
    for step in _ticks(len(agents)):
        parts.append(text(_x(step, len(agents)), height - 8, str(step), "middle"))
    return "\n".join([*parts, "</svg>"])


def _panel(series: Series, agents: Sequence[str], top: float) -> str:
    values = [v if _drawable(v, series.logarithmic) else None for v in series.values]
    known = [v for v in values if v is not None]
    parts = [
        f'<rect class="panel" x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}"/>',
        text(LEFT, top - 6, series.title, "start"),
    ]
    for step in range(1, len(agents)):
        if agents[step] != agents[step - 1]:
            x = (_x(step, len(agents)) + _x(step - 1, len(agents))) / 2
            parts.append(f'<line class="rule" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + PANEL}"/>')
    if known:
        low, high = min(known), max(known)
        parts.append(text(LEFT - 6, top + 12, series.label(high), "end"))
        if high > low:
            parts.append(text(LEFT - 6, top + PANEL - 4, series.label(low), "end"))
        points = [
            None if v is None else (_x(i, len(values)), _y(v, low, high, series.logarithmic, top))
            for i, v in enumerate(values)
        ]
        parts += [
            f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>' for run in _runs(points)
        ]
        parts += [f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="2.6"/>' for p in points if p is not None]
    else:
        parts.append(text(LEFT + 10, top + PANEL / 2, "no values", "start"))
    return "\n".join(parts)


def _drawable(value: float | None, logarithmic: bool) -> bool:
    return value is not None and math.isfinite(value) and (not logarithmic or value > 0)


def _x(step: int, steps: int) -> float:
    inner = WIDTH - LEFT - RIGHT - 20
    return LEFT + 10 + inner * (step / (steps - 1) if steps > 1 else 0.5)


def _y(value: float, low: float, high: float, logarithmic: bool, top: float) -> float:
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    share = (value - low) / (high - low) if high > low else 0.5
    return top + 8 + (PANEL - 16) * (1 - share)


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The stretches of at least two points without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if len(run) > 1]


def _ticks(steps: int) -> list[int]:
    stride = max(1, math.ceil(steps / 15))
    return list(range(0, steps, stride))


def text(x: float, y: float, words: str, anchor: str) -> str:
    """A piece of text; ``anchor`` is ``start``, ``middle`` or ``end``."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
