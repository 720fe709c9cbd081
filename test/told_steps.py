"""Steps of a goal that is played in one process, as its report holds them. For tests of reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dasha_ros.control.step import Step


def told(step: Step) -> tuple[dict[str, Any], dict[str, Any]]:
    """A step as a report holds it, and what is kept of its picture."""
    record = asdict(step.percept)
    kept = {key: record.pop(key) for key in ("latent", "detail", "colour_detail")}
    capture, state = record.pop("capture"), record.pop("lens")
    del record["histogram_edges"], state["settled"]
    record["histogram_counts"] = [int(count) for count in step.percept.histogram_counts]
    command = {step.command.name: step.command.value} if step.command else {}
    known = {"agent": step.agent, "index": step.index, "command": command, "frame": capture, "lens": state}
    return {**known, "percept": record}, kept
