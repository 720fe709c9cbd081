"""Plays the policies again on the pictures of a report, as perception read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.errors import FileError
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.lens_info import LensInfo, LensInfoError
from dasha_ros.optics.limited_lens import DistanceError, DistanceRange
from dasha_ros.perception.encoders.joint import size_of
from dasha_ros.perception.percept import NO_COLOUR_DETAIL, NO_DETAIL, Detection, Percept
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.perception.quality.histogram import BINS, EDGES
from dasha_ros.policies.policy import ExposureTask, FocusDecision, FocusTask, HasBelief
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.policies.selection import Choice
from dasha_ros.policies.steady_light import SteadyExposure
from dasha_ros.report.model import Goal, Record, ReportError, Step

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decided:
    """What a policy decides from a picture."""

    value: float
    """Exposure [us] or lens position, in the lens's unit: the one in force if the policy stops."""
    done: bool
    belief: Array | None = None
    """Probability of each focus position that A^L distinguishes, shape (h,)."""
    dioptres: Array | None = field(default=None, repr=False)
    """These focus positions [1/m], shape (h,)."""


class Mind(Protocol):
    """A policy that plays one episode after the other."""

    def decide(self, percepts: Sequence[Percept]) -> Decided:
        """Decide from the last of an episode's pictures, after having seen the others."""
        ...


class _Exposure:
    def __init__(self, policy: str, record: Record) -> None:
        self._policy = SteadyExposure(exposure_policy(policy))
        self._task = ExposureTask(table_of(record), record.goal.max_steps)

    def decide(self, percepts: Sequence[Percept]) -> Decided:
        self._policy.reset(self._task)
        *earlier, last = percepts
        for percept in earlier:
            self._policy.act(percept)
        decision = self._policy.act(last)
        return Decided(self._policy.table.exposure_us(decision.index), decision.done)


class _Focus:
    def __init__(self, policy: str, record: Record) -> None:
        goal, self._policy = record.goal, focus_policy(policy)
        labels, selection = goal.wanted
        self._goal = goal
        self._task = FocusTask(
            limited_lens_of(record),
            labels,
            selection=selection,
            min_score=goal.min_score,
            max_brisque=goal.max_brisque,
            max_steps=goal.max_steps,
        )

    def decide(self, percepts: Sequence[Percept]) -> Decided:
        self._policy.reset(self._task)
        *earlier, last = chosen(self._goal, percepts)
        for percept in earlier:
            self._act(percept)
        decision = self._act(last)
        belief = self._policy.belief() if isinstance(self._policy, HasBelief) else None
        if belief is None:
            return Decided(decision.position, decision.done)
        places, chances = belief
        # The policy goes on to change its belief.
        return Decided(decision.position, decision.done, np.array(chances), places)

    def _act(self, percept: Percept) -> FocusDecision:
        """As `control.loop.run_focus` does: a lens outside of the goal's distances goes there first."""
        lens, position = self._task.lens, percept.lens.commanded_position
        within = min(max(position, lens.position_min), lens.position_max)
        return self._policy.act(percept) if within == position else FocusDecision(within)


@dataclass(frozen=True)
class Moment:
    """A decision of the goal."""

    step: Step
    """The picture that it followed from."""
    percept: Percept
    earlier: tuple[Percept, ...]
    """The pictures that the agent had seen before it."""
    answer: Step | None
    """The picture that answered; ``None`` if the agent stopped here, or was stopped."""
    mind: Mind

    def decide(self, percept: Percept | None = None) -> Decided:
        """What the policy decides here, as often as asked.

        Args:
            percept: Another picture in the place of the one that was seen.

        Raises:
            ModelError: The percept holds no latent of the policy's encoder.
        """
        return self.mind.decide((*self.earlier, percept or self.percept))


def moments(record: Record, folder: Path, agent: str, policy: str) -> Iterator[Moment]:
    """The decisions of one agent's policy, in their order.

    Each search of A^L counts by itself. After A^H's policy stopped, steps for the object's own light may
    follow (`policies.object_exposure`); they are not the policy's.

    Args:
        record: The report.
        folder: Its folder.
        agent: ``A^H`` or ``A^L``.
        policy: Name or file of the policy.

    Raises:
        ReportError: The report lacks what is needed, or is damaged.
        UnknownPolicyError: No policy has this name.
        PolicyFileError: The policy can't be used.
    """
    steps = [step for step in record.steps if step.agent == agent]
    if not steps:
        return
    percepts = [percept_of(step, folder) for step in steps]
    mind: Mind = _Exposure(policy, record) if agent == "A^H" else _Focus(policy, record)
    answers: Sequence[Step | None] = [*steps[1:], None]
    first = 0
    for number, (step, percept, answer) in enumerate(zip(steps, percepts, answers, strict=True)):
        first = number if step.index == 0 else first
        own = answer if answer is not None and answer.index > 0 else None
        moment = Moment(step, percept, tuple(percepts[first:number]), own, mind)
        if agent == "A^H" and moment.decide().done:
            yield replace(moment, answer=None)
            return
        yield moment


def chosen(goal: Goal, percepts: Iterable[Percept]) -> list[Percept]:
    """An agent's pictures in their order, each with only what counts for a goal; see `Choice`."""
    labels, selection = goal.wanted
    return list(map(Choice(selection, labels, goal.min_score), percepts))


def table_of(record: Record) -> ExposureTable:
    """The exposures of the paper's camera, with as much gain as was asked for: what most graphs choose from.

    A report does not hold the limits that somebody gave A^H, nor the frequency of the mains.
    """
    table = exposure_table()
    most_us = max((step.command.exposure_us or 0.0 for step in record.steps), default=0.0)
    gain = most_us / table.t_max_us
    return table.with_gain(20.0 * math.log10(gain)) if gain > 1.0 else table


def limited_lens_of(record: Record) -> LensModel:
    """The lens within the distances of the goal.

    Raises:
        ReportError: The report does not hold the lens, or the lens has nothing within these distances.
    """
    goal = record.goal
    try:
        return DistanceRange(goal.min_distance_m, goal.max_distance_m).limit(lens_of(record))
    except DistanceError as error:
        raise ReportError(f"the report's goal can't be played again: {error}") from error


def lens_of(record: Record) -> LensModel:
    """The lens as the policies knew it.

    Raises:
        ReportError: The report does not hold it.
    """
    known = record.setup.lens
    if known is None:
        raise ReportError(
            "the report does not say which map the lens has, so A^L can't be played again: it was written "
            "by an older dasha_ros, or the lens was not known; run the goal again"
        )
    try:
        return LensInfo(**known.model_dump()).model()
    except LensInfoError as error:
        raise ReportError(f"the report's lens can't be used: {error}") from error


def percept_of(step: Step, folder: Path) -> Percept:
    """What perception read in a step.

    Raises:
        ReportError: The file with its numbers is missing or damaged, or the report lacks a value.
    """
    if step.numbers is None:
        raise ReportError(
            f"step {step.index} of {step.agent} has no file with what perception read: the report was "
            "written by an older dasha_ros; run the goal again"
        )
    seen, lens = step.percept, step.lens
    counts = seen.histogram_counts
    if len(counts) != BINS or not all(0 <= count < 2**32 for count in counts):
        raise ReportError(
            f"step {step.index} of {step.agent} holds no histogram of {BINS} counts: the report is damaged; "
            "copy its whole folder again, or run the goal again"
        )
    latent, detail, colour_detail = _arrays_of(folder / Path(step.numbers).name, seen.encoder)
    try:
        return Percept(
            capture=CaptureInfo(
                step.frame.stamp_ns,
                _number(step.frame.exposure_us),
                _number(step.frame.gain_db),
                CommandId(**step.frame.exposure_command.model_dump()),
                step.frame.sequence,
            ),
            lens=LensState(
                CommandId(**lens.command.model_dump()),
                _number(lens.commanded_position),
                _number(lens.position),
                True,
                lens.settled_at_ns,
                unit=lens.unit,
            ),
            width=seen.width,
            height=seen.height,
            encoder=seen.encoder,
            latent=latent,
            histogram_counts=np.array(counts, np.uint32),
            histogram_edges=EDGES,
            histogram_peak=_number(seen.histogram_peak),
            mean_grey=_number(seen.mean_grey),
            brisque=_number(seen.brisque),
            sharpness=_number(seen.sharpness),
            detections=tuple(
                Detection(
                    found.label,
                    _number(found.score),
                    (
                        _number(found.box[0]),
                        _number(found.box[1]),
                        _number(found.box[2]),
                        _number(found.box[3]),
                    ),
                    found.sharpness or 0.0,
                )
                for found in seen.detections
            ),
            detail=detail,
            colour_detail=colour_detail,
            flicker_hz=_number(seen.flicker_hz),
        )
    except _UnknownNumberError as error:
        raise ReportError(
            f"step {step.index} of {step.agent} holds a value that was not finite, so it can't be played "
            "again"
        ) from error


def _arrays_of(path: Path, encoder: str) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """The latent, the map of detail, and those of red and blue of a step.

    Raises:
        ReportError: The file is missing or damaged, or holds arrays that perception does not make.
    """
    try:
        arrays = read_arrays(path)
        latent, detail = arrays["latent"], arrays["detail"]
        colour_detail = arrays.get("colour_detail", NO_COLOUR_DETAIL)
    except FileError as error:
        raise ReportError(f"{error}: copy the whole folder of the report, or run the goal again") from error
    except KeyError as error:
        raise ReportError(f"{path} is damaged: it holds no {error}; run the goal again") from error
    if why := (
        _wrong_latent(latent, encoder)
        or _wrong_maps("map of detail", detail, (SHAPE, NO_DETAIL))
        or _wrong_maps("maps of red and blue", colour_detail, ((2, *SHAPE), NO_COLOUR_DETAIL.shape))
    ):
        raise ReportError(
            f"{path} is damaged: {why}; copy the whole folder of the report, or run the goal again"
        )
    return latent.astype(np.float32), detail.astype(np.uint8), colour_detail.astype(np.uint8)


def _wrong_latent(latent: NDArray[Any], encoder: str) -> str:
    """Why this is no latent of the encoder; empty if it may be one."""
    size = size_of(encoder)
    if latent.ndim != 1 or (size is not None and len(latent) != size):
        numbers = "one row of numbers" if size is None else f"{size} numbers in a row"
        return f"its latent has the shape {latent.shape}, and one of {encoder} has {numbers}"
    if latent.dtype.kind not in "fiu" or not np.isfinite(latent).all():
        return "its latent holds values that are not finite numbers"
    return ""


def _wrong_maps(what: str, detail: NDArray[Any], shapes: Sequence[tuple[int, ...]]) -> str:
    """Why these are no maps of detail of one of some shapes; empty if they are."""
    if detail.shape not in shapes:
        return f"its {what} has the shape {detail.shape}, not {shapes[0]}"
    if detail.dtype.kind not in "iu" or (detail.size and not 0 <= detail.min() <= detail.max() <= 255):
        return f"its {what} holds values that are no whole numbers from 0 to 255"
    return ""


class _UnknownNumberError(ValueError):
    """A number of the report is unknown."""


def _number(value: float | None) -> float:
    if value is None:
        raise _UnknownNumberError
    return value
