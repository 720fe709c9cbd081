"""Renders the page of a report: one HTML file without scripts or external files."""

from __future__ import annotations

from collections.abc import Set
from html import escape

from dasha_ros.files.version_0_1 import WRITTEN
from dasha_ros.optics.limited_lens import DistanceRange
from dasha_ros.policies.steady_light import flicker_note
from dasha_ros.report.belief_chart import belief_chart
from dasha_ros.report.chart import Series, chart
from dasha_ros.report.model import Goal, Record, Settings, Step

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --ink: #1f6feb; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.good { color: #1a7f37; } .bad { color: #cf222e; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
figure { margin: 0; } img { max-width: 100%; height: auto; border-radius: 4px; }
figcaption { font-size: .85rem; opacity: .8; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .85rem; }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .left { text-align: left; }
td img { width: 128px; display: block; }
.wide { overflow-x: auto; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
svg .panel { fill: none; stroke: var(--line); } svg .rule { stroke: var(--line); stroke-dasharray: 4 3; }
svg polyline { fill: none; stroke: var(--ink); stroke-width: 1.6; } svg circle { fill: var(--ink); }
"""


def page(record: Record, pictures: Set[str]) -> str:
    """Render a report as HTML.

    Args:
        record: The report.
        pictures: Names (without ``.jpg``) of the pictures in the report's folder.
    """
    outcome = record.outcome
    wanted = record.goal.what
    ended = "found and sharp" if outcome.error_code == 0 else f"{outcome.error_name} ({outcome.error_code})"
    title = f"{wanted}: {ended}"
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f'<h1>{escape(wanted)}: <span class="{"bad" if outcome.error_code else "good"}">'
            f"{escape(ended)}</span></h1>",
            f"<p>{escape(outcome.error_msg)}</p>" if outcome.error_msg else "",
            _summary(record),
            _pair(record, pictures),
            "<h2>Course</h2>",
            course(record),
            _belief(record),
            "<h2>Steps</h2>",
            _table(record),
            "</body>\n</html>\n",
        ]
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _duration(microseconds: float) -> str:
    """Three digits and a suitable unit."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{float(f'{microseconds / size:.3g}'):g} {unit}"
    return f"{float(f'{microseconds:.3g}'):g} µs"


def _settings(settings: Settings) -> str:
    lens = f"{_number(settings.lens_position, 2)} {settings.lens_unit}".rstrip()
    distance = "" if settings.focus_distance_m is None else f" ({settings.focus_distance_m:.2f} m)"
    return f"{_number(settings.exposure_us, 0)} µs, {lens}{distance}"


def _age(record: Record) -> str:
    """What to know of a report of another version."""
    return f" ({WRITTEN}; read under today's names)" if record.setup.version.startswith("0.1.") else ""


def _unit(record: Record) -> str:
    """Unit of the lens's positions, in brackets."""
    unit = record.after.lens_unit or record.before.lens_unit
    return f"[{unit}]" if unit else ""


def _summary(record: Record) -> str:
    goal, setup, outcome = record.goal, record.setup, record.outcome
    rows = [
        ("Began", record.began),
        ("Took", f"{outcome.seconds:.1f} s"),
        ("Steps", f"{outcome.exposure_steps} of A^H, {outcome.focus_steps} of A^L"),
        ("Asked for", _conditions(goal)),
        ("A^H", "kept the exposure" if goal.keep_exposure else setup.exposure_policy),
        ("A^L", setup.focus_policy),
        ("Encoder, detector", f"{setup.encoder}, {setup.detector}"),
        ("Version", f"{setup.version}{_age(record)}"),
    ]
    if note := _flicker(record):
        rows.append(("Light", note))
    if outcome.detection is not None:
        found = f"{outcome.detection.label}, score {_number(outcome.detection.score, 2)}"
        rows.insert(2, ("Found", f"{found}, BRISQUE {_number(outcome.brisque, 1)}"))
    cells = "".join(
        f'<tr><td>{escape(key)}</td><td class="left">{escape(value)}</td></tr>' for key, value in rows
    )
    return f"<table>{cells}</table>"


def _flicker(record: Record) -> str:
    """What flicker does to the last picture of the goal; empty: nobody saw any."""
    if not record.steps:
        return ""
    last = record.steps[-1]
    return flicker_note(last.percept.flicker_hz or 0.0, last.frame.exposure_us or 0.0)


def _conditions(goal: Goal) -> str:
    """What counted as reached, for people."""
    distances = DistanceRange(goal.min_distance_m, goal.max_distance_m)
    limits = [
        f"score at least {goal.min_score:g}",
        f"BRISQUE at most {goal.max_brisque:g}",
        *([f"focus at {distances}"] if distances else []),
        *([f"within {goal.max_seconds:g} s"] if goal.max_seconds else []),
    ]
    return ", ".join(limits)


def _pair(record: Record, pictures: Set[str]) -> str:
    figures = [
        f'<figure><img src="{name}.jpg" alt="{name} the goal">'
        f"<figcaption>{name.capitalize()}: {escape(_settings(settings))}</figcaption></figure>"
        for name, settings in (("before", record.before), ("after", record.after))
        if name in pictures
    ]
    return f'<h2>Before and after</h2>\n<div class="pair">{"".join(figures)}</div>' if figures else ""


def course(record: Record) -> str:
    """Draw exposure, lens, score and BRISQUE over the steps of a goal, as SVG."""
    steps = record.steps
    if not steps:
        return "<p>The goal ended before the first step.</p>"
    return chart(
        [
            Series(
                "Exposure, logarithmic",
                [s.frame.exposure_us for s in steps],
                logarithmic=True,
                label=_duration,
            ),
            Series(f"Lens {_unit(record)}", [s.lens.position for s in steps]),
            Series("Best score of a wanted object", [record.best_score(s) for s in steps]),
            Series("BRISQUE, lower is better", [s.percept.brisque for s in steps]),
        ],
        [s.agent for s in steps],
    )


def _belief(record: Record) -> str:
    drawn = belief_chart(record)
    if not drawn:
        return ""
    return (
        "<h2>Belief before and after each move</h2>\n<p>Where A^L expected the object's focus. "
        f"The circle shows where the lens was focused, the dashed line where it went.</p>\n{drawn}"
    )


def _table(record: Record) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in (
            "Agent", "Step", "Commanded", "Exposure [µs]", f"Lens {escape(_unit(record))}", "Mean grey",
            "Peak", "BRISQUE", "Score", "Reward", "Perception [ms]", "Picture",
        )
    )  # fmt: skip
    rows = "\n".join(_row(record, step) for step in record.steps)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _row(record: Record, step: Step) -> str:
    percept, command = step.percept, step.command
    commanded = "looked"
    if command.exposure_us is not None:
        commanded = f"{_number(command.exposure_us, 0)} µs"
    elif command.lens_position is not None:
        commanded = f"{_number(command.lens_position, 2)} {step.lens.unit}".rstrip()
    cells = [
        step.agent,
        str(step.index),
        commanded,
        _number(step.frame.exposure_us, 0),
        _number(step.lens.position, 2),
        _number(percept.mean_grey, 0),
        _number(percept.histogram_peak, 0),
        _number(percept.brisque, 1),
        _number(record.best_score(step), 2),
        _number(step.reward.value if step.reward else None, 3),
        _number(percept.stage_ms.get("total"), 0),
    ]
    picture = ""
    if step.picture:
        source = escape(step.picture, quote=True)
        picture = f'<a href="{source}"><img src="{source}" loading="lazy" alt="step {step.index}"></a>'
    return "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + f"<td>{picture}</td></tr>"
