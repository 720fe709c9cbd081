"""Floor 5. The report of a goal: every step as JSON, the pictures, and a readable page."""

from dasha_ros.report.equipment import KnownLens, Setup
from dasha_ros.report.model import (
    Belief,
    Command,
    Detection,
    Frame,
    Goal,
    Lens,
    Outcome,
    Percept,
    Record,
    ReportError,
    Reward,
    Settings,
    Step,
    load,
)
from dasha_ros.report.writer import Report, ReportWriter

__all__ = [
    "Belief",
    "Command",
    "Detection",
    "Frame",
    "Goal",
    "KnownLens",
    "Lens",
    "Outcome",
    "Percept",
    "Record",
    "Report",
    "ReportError",
    "ReportWriter",
    "Reward",
    "Settings",
    "Setup",
    "Step",
    "load",
]
