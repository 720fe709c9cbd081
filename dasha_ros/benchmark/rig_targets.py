"""What the emulated rig must reach, beside what `dasha benchmark rig` measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dasha_ros.benchmark import table

PICTURE_MS = 12.0
"""Trigger to image message published, without the exposure, median [ms]."""
PREVIEW_HZ = 50.0
PREVIEW_SHARE = 0.98
"""Best-effort transport may lose a frame now and then."""
PREVIEW_AGE_MS = 60.0
"""Age of a preview image when it is received, 95th percentile [ms]."""
GROWTH_MS = 5.0
"""A queue of one frame would be 20 ms."""
LENS_MS = 3.0
"""A lens command until its state is published, without its time on the wire, median [ms]."""
STEP_RATIO = 1.15
"""Time of a step on the emulated rig by that on the twin."""


@dataclass(frozen=True, slots=True)
class Target:
    """One figure."""

    figure: str
    must: str
    measured: str
    met: bool


def targets(numbers: Mapping[str, Any]) -> list[Target]:
    """Each figure that must be reached, with what was measured.

    Args:
        numbers: What `cli.benchmark.measure.rig.benchmark_rig` measured; without ``goals`` the figures of
            goals are left out.
    """
    published = numbers["pictures"]["published_ms_p50"]
    preview = numbers["preview"]
    fps, age, growth = preview["fps"], preview["age_ms_p95"], preview["growth_ms"]
    lens = numbers["lens"]["published_ms_p50"]
    found = [
        _most("trigger to image message published, without exposure, p50", published, PICTURE_MS, "ms"),
        Target(
            "preview through the node",
            f"{PREVIEW_HZ:g} fps",
            f"{fps:.1f} fps",
            fps >= PREVIEW_SHARE * PREVIEW_HZ,
        ),
        _most(
            f"age of its images, {preview['exposure_ms']:g} ms of exposure included, p95",
            age,
            PREVIEW_AGE_MS,
            "ms",
        ),
        _most(f"growth of that age in {preview['seconds']:g} s", growth, GROWTH_MS, "ms"),
        _most("lens command, beyond its time on the wire, p50", lens, LENS_MS, "ms"),
    ]
    if (goals := numbers.get("goals")) is not None:
        found.append(_most("time of a step, emulated by twin", goals["ratio"], STEP_RATIO, "", 3))
        found.append(
            Target(
                "goals reached on the emulated rig, of those reached on the twin",
                f"{goals['found_twin']}",
                f"{goals['found_twin'] - len(goals['only_twin'])}",
                not goals["only_twin"],
            )
        )
    return found


def markdown(found: Sequence[Target]) -> str:
    """The figures as a table."""
    return table.markdown([{**asdict(target), "met": "yes" if target.met else "no"} for target in found])


def _most(figure: str, value: float, limit: float, unit: str, digits: int = 1) -> Target:
    ending = f" {unit}" if unit else ""
    return Target(
        figure,
        f"at most {limit:g}{ending}",
        f"{round(value, digits) + 0.0:.{digits}f}{ending}",
        value <= limit,
    )
