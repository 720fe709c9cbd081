"""The decisions of a goal, and what they rested on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ModelError
from dasha_ros.report.explain.occlusion import Influence, has_cells, influence
from dasha_ros.report.explain.replay import Decided, Moment, chosen, lens_of, moments
from dasha_ros.report.model import Record, ReportError, Step

Array = NDArray[np.float64]

SAME = 1e-6
"""Relative difference up to which a decision counts as the recorded one."""


@dataclass(frozen=True)
class Explained:
    """One decision."""

    step: Step
    """The picture that it followed from."""
    decided: Decided
    """What the policy decides, and what A^L believes."""
    recorded: float | None
    """What was commanded; ``None`` if nothing was."""
    influence: Influence | None
    """``None`` if the latent has no cells. The decision's is in stops for A^H, in 1/m for A^L."""
    box: tuple[float, float, float, float] | None
    """The best detection of a wanted object, as fractions of the frame."""

    @property
    def is_reproduced(self) -> bool:
        """Whether the policy that is installed decides as the recorded one did."""
        if self.recorded is None:
            return True
        return not self.decided.done and math.isclose(self.decided.value, self.recorded, rel_tol=SAME)

    @property
    def weights(self) -> Array | None:
        """How much each cell counts, shape (rows, columns): for the belief if there is one."""
        if self.influence is None:
            return None
        return self.influence.decision if np.isnan(self.influence.belief).any() else self.influence.belief


def explain(
    record: Record, folder: Path, *, exposure_policy: str = "", focus_policy: str = ""
) -> Iterator[Explained]:
    """Explain the decisions of a goal, in their order.

    Args:
        record: The report.
        folder: Its folder.
        exposure_policy: Name or file of A^H's policy; left out: the name in the report.
        focus_policy: The same for A^L.

    Raises:
        ReportError: The report lacks what is needed, or is damaged.
        UnknownPolicyError: No policy has the name.
        PolicyFileError: A policy can't be used.
    """
    chosen = {
        "A^H": exposure_policy or record.setup.exposure_policy,
        "A^L": focus_policy or record.setup.focus_policy,
    }
    for agent in ("A^H", "A^L"):
        if any(step.agent == agent for step in record.steps):
            for moment in moments(record, folder, agent, chosen[agent]):
                try:
                    yield _explained(record, moment)
                except ModelError as error:
                    raise ReportError(f"the policy {chosen[agent]} can't be played again: {error}") from error


def _explained(record: Record, moment: Moment) -> Explained:
    step, percept, is_lens = moment.step, moment.percept, moment.step.agent == "A^L"
    found = None
    if has_cells(percept):
        found = influence(moment, _dioptres_apart(record) if is_lens else _stops_apart)
    recorded = None
    if moment.answer is not None:
        command = moment.answer.command
        recorded = command.lens_position if is_lens else command.exposure_us
    wanted, box = chosen(record.goal, (*moment.earlier, percept))[-1].of(record.goal.wanted[0]), None
    if wanted:
        left, top, right, bottom = wanted[0].box
        width, height = float(percept.width), float(percept.height)
        box = left / width, top / height, right / width, bottom / height
    return Explained(step, moment.decide(), recorded, found, box)


def _stops_apart(one: Decided, other: Decided) -> float:
    return abs(math.log2(one.value / other.value))


def _dioptres_apart(record: Record) -> Callable[[Decided, Decided], float]:
    lens = lens_of(record)
    return lambda one, other: abs(lens.dioptres(one.value) - lens.dioptres(other.value))
