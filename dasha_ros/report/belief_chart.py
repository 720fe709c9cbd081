"""Draws where A^L expected the object's focus, before and after each move, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable

from dasha_ros.report.chart import LEFT, RIGHT, WIDTH, text
from dasha_ros.report.model import Belief, Record, Step

Place = Callable[[float], float]
"""From a focus [1/m] to a place across the chart [px]."""

_ROW, _TOP, _BOTTOM = 58, 8, 40
_TALLEST = 44.0
_TICKS = 7


def belief_chart(record: Record) -> str:
    """One curve for each picture of A^L: what it believed after that picture.

    So a curve is the belief after the move that led to the picture, and before the next one. Each curve is
    scaled to its own peak, which is written beside it. A circle shows where the lens was focused; a line goes
    down to where it went.

    Returns:
        The chart; "" if A^L did not look, or its policy has no belief.
    """
    shown = [step for step in record.steps if step.belief is not None]
    if not shown:
        return ""
    low = min(step.belief.dioptres[0] for step in shown if step.belief)
    high = max(step.belief.dioptres[-1] for step in shown if step.belief)
    height = _TOP + len(shown) * _ROW + _BOTTOM

    def x(dioptres: float) -> float:
        share = (min(max(dioptres, low), high) - low) / (high - low)
        return LEFT + 10 + (WIDTH - LEFT - RIGHT - 20) * share

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Belief before and after each move">',
        "<title>Where A^L expected the object's focus, after each picture</title>",
    ]
    for row, step in enumerate(shown):
        assert step.belief is not None
        floor = _TOP + (row + 1) * _ROW - 4
        parts += _curve(step.belief, floor, x)
        parts += _names(step, floor, max(step.belief.probability))
        here = record.focus_dioptres(step)
        there = record.focus_dioptres(shown[row + 1]) if row + 1 < len(shown) else None
        if here is not None and there is not None:
            ends = f'x1="{x(here):.1f}" y1="{floor}" x2="{x(there):.1f}" y2="{floor + _ROW}"'
            parts.append(f'<line class="rule" {ends}/>')
        if here is not None:
            parts.append(f'<circle cx="{x(here):.1f}" cy="{floor}" r="4"/>')
    return "\n".join([*parts, *_axis(low, high, height, x), "</svg>"])


def _curve(belief: Belief, floor: float, x: Place) -> list[str]:
    peak = max(belief.probability) or 1.0
    points = " ".join(
        f"{x(at):.1f},{floor - _TALLEST * chance / peak:.1f}"
        for at, chance in zip(belief.dioptres, belief.probability, strict=True)
    )
    return [
        f'<line class="panel" x1="{LEFT}" y1="{floor}" x2="{WIDTH - RIGHT}" y2="{floor}"/>',
        f'<polyline points="{points}"/>',
    ]


def _names(step: Step, floor: float, peak: float) -> list[str]:
    what = "start" if step.index == 0 else f"move {step.index}"
    return [text(LEFT - 6, floor - 22, what, "end"), text(LEFT - 6, floor - 6, f"peak {peak:.2f}", "end")]


def _axis(low: float, high: float, height: float, x: Place) -> list[str]:
    step = _round_step((high - low) / _TICKS)
    ticks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    parts = [text(x(at), height - _BOTTOM + 14, f"{at:g} ({_distance(at)})", "middle") for at in ticks]
    return [*parts, text(WIDTH / 2, height - 6, "focus [1/m] (distance)", "middle")]


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * (1.0 - 1e-9))


def _distance(dioptres: float) -> str:
    return f"{1.0 / dioptres:.2g} m" if dioptres > 1e-9 else "infinity"
