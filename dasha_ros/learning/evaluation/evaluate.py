"""Plays policies and records each episode as a trial, together with the true focus.

The same loop (`control.loop`) runs every policy, from the same starts, with the same counting: a move is a
lens command, a frame is a picture, an episode ends when its policy says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.step import Step
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.settings import FOCUSED_PX, Start
from dasha_ros.perception.percept import Box, Percept
from dasha_ros.policies.moves import reversals
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposurePolicy, ExposureRule, ExposureTask, FocusPolicy, FocusTask
from dasha_ros.policies.reached import exposure_side

MAX_MOVES = 600
"""Enough for every policy to end by itself: a sweep takes 150 moves."""
MAX_EXPOSURES = 40


@dataclass(frozen=True, slots=True)
class FocusTrial:
    """The course of one episode of A^L."""

    view: ViewInfo
    code: ErrorCode
    detected: bool
    """Whether the object was detected in the last percept."""
    blur_px: float
    """True blur radius of the object at the end [px at 640]."""
    moves_first: int | None
    """Moves until it was within 2 px for the first time; ``None``: never."""
    moves_settled: int
    """Moves until the policy ended."""
    frames: int
    """Number of pictures, including the one at the start; of both agents if both act."""
    reversals: int
    actuations: int
    """Number of moves that changed the output of the lens's electronics."""
    seconds: float
    """Time of exposure and settling [s]."""
    decide_ms: float
    """Mean time of the policy for a decision [ms]."""
    positions: tuple[float, ...]
    """Commanded positions of the lens, from the start on."""
    blurs_px: tuple[float, ...]
    """True blur radius of the object at each of them [px at 640]."""
    start: Start
    box: Box | None = None
    """The best detection of the object at the end, as shares of the picture."""

    @property
    def focused(self) -> bool:
        """Whether the object is within 2 px at the end."""
        return self.blur_px <= FOCUSED_PX

    @property
    def false_found(self) -> bool:
        """Whether it ended "found", and the object is more than 2 px off."""
        return self.code is ErrorCode.NONE and not self.focused


@dataclass(frozen=True, slots=True)
class ExposureTrial:
    """The course of one episode of A^H."""

    view: ViewInfo
    code: ErrorCode
    illuminance_lx: float
    possible: bool
    """Whether some exposure makes a well-exposed picture."""
    well_exposed: bool
    """Whether the last picture satisfies this rule of `policies.reached`, whatever the policy's own rule
    is."""
    good_peak: bool
    """Whether the last picture satisfies Eq. 7: the fullest bin is in 50..150."""
    steps: int
    """Number of exposure commands."""
    seconds: float
    """Exposure time [s]."""
    decide_ms: float


class _Timed:
    """Wraps a policy of either agent and times its decisions."""

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
        arena: Where the episode takes place.
        policy: The policy of A^L.
        start: Where the episode begins.
        encoder: Id of the encoder whose latents the policy reads; empty: none.
        exposure: The policy of A^H, which acts first.
        max_moves: The episode is cut off after this many moves.

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
    code, detected, box = ErrorCode.NONE, False, None
    if exposure is not None:
        code = run_exposure(arena.rig, exposure, ExposureTask(arena.table, MAX_EXPOSURES)).code
    if code is ErrorCode.NONE:
        task = FocusTask(arena.lens, frozenset({view.label}), max_steps=max_moves)
        outcome = run_focus(arena.rig, timed, task, on_step)
        code, detected = outcome.code, outcome.detection is not None
        if outcome.detection is not None and outcome.percept is not None:
            width, height = outcome.percept.width, outcome.percept.height
            x0, y0, x1, y1 = outcome.detection.box
            box = (x0 / width, y0 / height, x1 / width, y1 / height)
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
        blurs_px=tuple(blurs),
        start=start,
        box=box,
    )


def exposure_is_possible(arena: Arena, start: Start) -> bool:
    """Whether some exposure of the arena's table makes a well-exposed picture from this start.

    The picture's side never falls as the exposure grows (`reached.exposure_sides`), and the table is fine: so
    it is, unless the longest exposure is too dark or the shortest too bright.

    Raises:
        DeviceError: The start can't be placed.
    """
    arena.place(start)
    longest, shortest = (arena.rig.expose(us) for us in (arena.table.t_max_us, arena.table.t_min_us))
    return exposure_side("well_exposed", longest) >= 0 >= exposure_side("well_exposed", shortest)


def play_exposure(
    arena: Arena,
    policy: ExposurePolicy,
    start: Start,
    *,
    encoder: str = "",
    max_steps: int = MAX_EXPOSURES,
    possible: bool = True,
) -> ExposureTrial:
    """One episode of A^H; other arguments as for `play_focus`.

    Args:
        arena: Where the episode takes place.
        policy: The policy of A^H.
        start: Where the episode begins.
        encoder: Id of the encoder whose latents the policy reads; empty: none.
        max_steps: The episode is cut off after this many commands.
        possible: See `exposure_is_possible`.

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
        possible=possible,
        well_exposed=percept is not None and exposure_side("well_exposed", percept) == 0,
        good_peak=percept is not None and exposure_side("good_peak", percept) == 0,
        steps=outcome.steps,
        seconds=arena.usage.seconds,
        decide_ms=timed.decide_ms,
    )
