"""Plays policies and writes down what happened: one trial an episode, with the truth beside it.

Every policy is run by the same loop (`control.loop`), from the same starts, with the same bookkeeping:
a move is a lens command, a frame is a picture, an episode ends when its policy says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.step import Step
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.moves import reversals
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposurePolicy, ExposureRule, ExposureTask, FocusPolicy, FocusTask
from dasha_ros.policies.reached import exposure_side

FOCUSED_PX = 2.0
"""Blur radius that counts as focused [px of a 640-px image]."""
MAX_MOVES = 600
"""No policy is cut off before its own end: a sweep takes 150 moves."""
MAX_EXPOSURES = 40


@dataclass(frozen=True, slots=True)
class FocusTrial:
    """How one episode of A^L went."""

    view: ViewInfo
    code: ErrorCode
    detected: bool
    """What was asked for was detected in the last percept."""
    blur_px: float
    """True blur radius of what was asked for, at the end [px at 640]."""
    moves_first: int | None
    """Moves until it was within 2 px for the first time; ``None``: never."""
    moves_settled: int
    """Moves until the policy ended."""
    frames: int
    """Pictures, with the one at the start; of both agents where both act."""
    reversals: int
    actuations: int
    """Moves that changed what the lens's electronics put out."""
    seconds: float
    """Exposure and settling."""
    decide_ms: float
    """Mean time that the policy took for a decision."""
    positions: tuple[float, ...]
    """Where the lens was, from the start on."""

    @property
    def focused(self) -> bool:
        """Within 2 px at the end."""
        return self.blur_px <= FOCUSED_PX


@dataclass(frozen=True, slots=True)
class ExposureTrial:
    """How one episode of A^H went."""

    view: ViewInfo
    code: ErrorCode
    illuminance_lx: float
    well_exposed: bool
    """At the end, by this rule of `policies.reached`, whatever the policy's own rule is."""
    good_peak: bool
    """At the end, by Eq. 7: the fullest bin is in 50..150."""
    steps: int
    """Exposure commands."""
    seconds: float
    """Exposure."""
    decide_ms: float


class _Timed:
    """A policy of either agent whose decisions are timed."""

    def __init__(self, policy: Any) -> None:
        self.name: str = policy.name
        self.reset = policy.reset
        self.rule: ExposureRule = getattr(policy, "rule", "well_exposed")
        self._act = policy.act
        self._spent, self._count = 0.0, 0

    @property
    def decide_ms(self) -> float:
        return 1e3 * self._spent / max(self._count, 1)

    def act(self, percept: Percept) -> Any:
        begun = time.perf_counter()
        decision = self._act(percept)
        self._spent += time.perf_counter() - begun
        self._count += 1
        return decision


def play_focus(
    arena: Arena,
    policy: FocusPolicy,
    start: Start,
    *,
    encoder: str = "",
    exposure: ExposurePolicy | None = None,
    max_moves: int = MAX_MOVES,
) -> FocusTrial:
    """One episode of A^L, or, with ``exposure``, of both agents: A^L moves only if A^H succeeded.

    Args:
        arena: Where.
        policy: Decides.
        start: Where the episode begins.
        encoder: Id of the encoder whose latents the policy reads; empty: none.
        exposure: Acts first.
        max_moves: After so many it is cut off.

    Raises:
        DeviceError: The start can't be placed.
    """
    arena.place(start, encoder)
    view = arena.views[start.view]
    positions, blurs = [start.position], [abs(arena.defocus_px())]

    def on_step(step: Step) -> None:
        if step.command is not None:
            positions.append(step.command.value)
            blurs.append(abs(arena.defocus_px()))

    timed = _Timed(policy)
    code, detected = ErrorCode.NONE, False
    if exposure is not None:
        code = run_exposure(arena.rig, exposure, ExposureTask(arena.table, MAX_EXPOSURES)).code
    if code is ErrorCode.NONE:
        task = FocusTask(arena.lens, frozenset({view.label}), max_steps=max_moves)
        outcome = run_focus(arena.rig, timed, task, on_step)
        code, detected = outcome.code, outcome.detection is not None
    usage = arena.usage
    return FocusTrial(
        view=view,
        code=code,
        detected=detected,
        blur_px=blurs[-1],
        moves_first=next((i for i, blur in enumerate(blurs) if blur <= FOCUSED_PX), None),
        moves_settled=len(positions) - 1,
        frames=usage.frames,
        reversals=reversals(arena.lens, positions),
        actuations=usage.actuations,
        seconds=usage.seconds,
        decide_ms=timed.decide_ms,
        positions=tuple(positions),
    )


def play_exposure(
    arena: Arena, policy: ExposurePolicy, start: Start, *, encoder: str = "", max_steps: int = MAX_EXPOSURES
) -> ExposureTrial:
    """One episode of A^H; arguments as for `play_focus`.

    Raises:
        DeviceError: The start can't be placed.
    """
    arena.place(start, encoder)
    timed = _Timed(policy)
    outcome = run_exposure(arena.rig, timed, ExposureTask(arena.table, max_steps))
    percept = outcome.percept
    return ExposureTrial(
        view=arena.views[start.view],
        code=outcome.code,
        illuminance_lx=start.illuminance_lx,
        well_exposed=percept is not None and exposure_side("well_exposed", percept) == 0,
        good_peak=percept is not None and exposure_side("good_peak", percept) == 0,
        steps=outcome.steps,
        seconds=arena.usage.seconds,
        decide_ms=timed.decide_ms,
    )
