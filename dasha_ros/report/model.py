"""The content of ``report.json``, format ``dasha-report`` version 3."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from dasha_ros.files.documents import read_json
from dasha_ros.files.errors import FileError
from dasha_ros.files.validation import reasons
from dasha_ros.files.version_0_1 import report
from dasha_ros.perception.percept import Box
from dasha_ros.policies.selection import Region, Selection
from dasha_ros.report.equipment import Number, Part, Setup

FORMAT: Literal["dasha-report"] = "dasha-report"
VERSION: Literal[3] = 3


class ReportError(Exception):
    """A report can't be written or read; the message says why and what to do."""


class Goal(Part):
    """The goal, with the defaults filled in."""

    labels: tuple[str, ...] = ()
    any_object: bool = False
    by_priority: bool = False
    region: tuple[float, float, float, float] | None = None
    """x_min, y_min, x_max, y_max as fractions of the picture; ``None``: all of it."""
    min_distance_m: float = 0.0
    max_distance_m: float = 0.0
    """0: infinity."""
    min_score: float = 0.0
    max_brisque: float = 0.0
    max_steps: int = 0
    max_seconds: float = 0.0
    """0: no limit."""
    keep_exposure: bool = False
    hold: bool = False

    @property
    def wanted(self) -> tuple[frozenset[str], Selection]:
        """The labels that count (empty: all), and what else the goal selects."""
        region = None if self.region is None else Region.of(self.region)
        return Selection.of_goal(
            self.labels, region, any_object=self.any_object, by_priority=self.by_priority
        )

    @property
    def what(self) -> str:
        """What was looked for, for people."""
        return self.wanted[1].what(self.labels)


class Settings(Part):
    """The active settings."""

    exposure_us: Number = None
    lens_position: Number = None
    lens_unit: str = ""
    """Unit of every position in this report."""
    focus_distance_m: Number = None
    """Focus distance [m]; ``None`` at infinity, beyond it, or if it is unknown."""


class CommandId(Part):
    """Identifies a command by its sender and running number; empty for none."""

    sender: str = ""
    sequence: int = 0


class Command(Part):
    """An agent's command. One of the values is set, or none if the agent only looked."""

    id: CommandId = CommandId()
    exposure_us: Number = None
    lens_position: Number = None


class LensMove(Part):
    """Where the lens rests: one move of one lens driver."""

    driver: str = ""
    move: int = 0
    command: CommandId = CommandId()


class Frame(Part):
    """The exposure that made the frame, as read back from the camera."""

    stamp_ns: int
    """Start of the exposure."""
    exposure_us: Number
    gain_db: Number
    sequence: int
    exposure_command: CommandId
    ready_ns: int = 0
    """When the driver received the frame."""
    driver: str = ""
    """Instance of the camera driver; ``sequence`` counts its frames."""
    lens: LensMove = LensMove()
    """Where the lens rested when the exposure began."""


class Lens(Part):
    """The state of the lens that made the frame."""

    command: CommandId
    commanded_position: Number
    position: Number
    unit: str = ""
    focus_distance_m: Number = None
    settled_at_ns: int
    faults: tuple[str, ...] = ()
    driver: str = ""
    sequence: int = 0
    """Counts the states of this driver."""
    move: int = 0
    settle_s: Number = 0.0
    """Time left until the lens rests [s]."""


class Light(Part):
    """The light of a part of the picture; see `perception.quality.light.Light`."""

    mean_grey: Number
    dark_grey: Number
    bright_share: Number


class Detection(Part):
    """One object that the detector found."""

    label: str
    score: Number
    box: tuple[Number, Number, Number, Number]
    """x_min, y_min, x_max, y_max in pixels of the full image."""
    sharpness: Number = None
    light: Light | None = None
    """Inside the box; ``None`` where nobody asked for it."""


class Percept(Part):
    """The percept of the frame, without the latent vector and the maps of detail."""

    width: int
    height: int
    encoder: str
    histogram_counts: tuple[int, ...]
    histogram_peak: Number
    mean_grey: Number
    brisque: Number
    sharpness: Number
    detections: tuple[Detection, ...] = ()
    stage_ms: dict[str, Number] = Field(default_factory=dict)
    """Milliseconds spent in each stage, and in ``total``."""
    light: Light | None = None
    """Of the goal's region, or of the whole picture; ``None`` where nobody asked for it."""
    flicker_hz: Number = 0.0
    """How often the light flickers; 0: not that anybody saw."""


class Reward(Part):
    """The step's reward, and the terms that it is the sum of."""

    value: Number
    terms: dict[str, Number] = Field(default_factory=dict)


class Belief(Part):
    """Where A^L expected the object's focus."""

    dioptres: tuple[float, ...]
    """Focus positions [1/m], ascending, evenly spaced."""
    probability: tuple[float, ...]
    """Of each; as many."""

    @model_validator(mode="after")
    def _is_a_curve(self) -> Belief:
        if len(self.dioptres) != len(self.probability) or len(self.dioptres) < 2:
            raise ValueError("a belief needs as many probabilities as focus positions, at least two")
        if any(b <= a for a, b in pairwise(self.dioptres)):
            raise ValueError("the focus positions of a belief must ascend")
        return self


class Step(Part):
    """One step of one agent."""

    agent: Literal["A^H", "A^L"]
    index: int
    """Counts the steps of this agent from 0."""
    command: Command
    frame: Frame
    lens: Lens
    percept: Percept
    reward: Reward | None = None
    picture: str | None = None
    """File name of the annotated thumbnail; `Report.step` fills it in."""
    numbers: str | None = None
    """File name of the latent vector and the maps of detail (``.npz``); `Report.step` fills it in."""
    belief: Belief | None = None
    """After this picture; ``None`` for policies without one."""


def _known(box: tuple[Number, Number, Number, Number]) -> Box:
    """A box whose unknown edges are 0."""
    left, top, right, bottom = (edge or 0.0 for edge in box)
    return left, top, right, bottom


class Outcome(Part):
    """How the goal ended."""

    error_code: int
    """Number from ``FocusOnObject.Result``; 0 if the object is found and sharp."""
    error_name: str
    error_msg: str
    detection: Detection | None = None
    brisque: Number = None
    exposure_steps: int
    focus_steps: int
    hold_steps: int = 0
    """Commands while the object was held."""
    seconds: float


class Record(Part):
    """A whole report, without the pictures."""

    format: Literal["dasha-report"] = FORMAT
    version: Literal[3] = VERSION
    began: str
    """UTC, ISO 8601."""
    goal: Goal
    setup: Setup
    before: Settings
    after: Settings
    outcome: Outcome
    steps: tuple[Step, ...]

    def best_score(self, step: Step) -> float | None:
        """Best confidence of a wanted object in a step; ``None`` if there is none."""
        (wanted, selection), seen = self.goal.wanted, step.percept
        scores = [
            d.score
            for d in seen.detections
            if d.score is not None
            and (not wanted or d.label in wanted)
            and selection.admits(_known(d.box), seen.width, seen.height)
        ]
        return max(scores, default=None)

    def focus_dioptres(self, step: Step) -> float | None:
        """Where the lens was focused in a step [1/m]; ``None`` if its map is not known."""
        lens, position = self.setup.lens, step.lens.position
        if lens is None or not lens.map_positions or position is None:
            return None
        return float(np.interp(position, lens.map_positions, lens.map_dioptres))


def load(path: Path | str) -> Record:
    """Read a report, including reports of dasha_ros 0.1.

    Args:
        path: The report's folder or its ``report.json``.

    Raises:
        ReportError: The file does not exist, is not a report, or has another version.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / "report.json").exists():
            raise ReportError(
                f"{path} holds no report.json: give the folder that the goal's last line names, "
                "by default one below ~/.ros/dasha/reports"
            )
        path = path / "report.json"
    try:
        document = read_json(path)
    except FileError as error:
        raise ReportError(str(error)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError(f"{path}: is not a report of dasha_ros (format {FORMAT!r})")
    document = report(document)
    if document.get("version") != VERSION:
        raise ReportError(
            f"{path}: is a report of version {document.get('version')!r}, but this dasha_ros reads "
            f"version {VERSION}; read it with the release that wrote it"
        )
    try:
        return Record.model_validate(document)
    except ValidationError as error:
        raise ReportError(f"{path}: is damaged: {reasons(error, 'report')}") from error
