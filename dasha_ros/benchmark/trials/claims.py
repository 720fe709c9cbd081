"""What a policy claimed of each picture, and whether it was true: the reliability of the belief.

A claim is a probability that was stated before the truth was looked up. A belief is calibrated if the object
is sharp in 80 % of all pictures about which it said 0.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dasha_ros.benchmark.methods import FocusMethod, Scene
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import share_of
from dasha_ros.estimation.candidates import probability_within
from dasha_ros.estimation.own_sharpness import SHARP_PX as OWN_PX
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.belief_encoder import SHARP_PX
from dasha_ros.policies.learned.object_evidence import ObjectEvidence
from dasha_ros.policies.policy import FocusDecision, FocusPolicy, FocusTask, HasBelief

BELIEF, OWN = "belief", "object"
"""Who claims: the belief, that the object is within `SHARP_PX` of blur; and the object's own detail, which
the verdict on a goal asks, that it is within `own_sharpness.SHARP_PX`."""
WITHIN_PX = {BELIEF: SHARP_PX, OWN: OWN_PX}
BINS = 10
"""Claims are summed up in so many equal parts of 0..1."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One probability that was stated of one picture."""

    who: str
    stated: float
    is_true: bool
    cluster: str
    """The photographs or the stack: pictures of one are alike."""
    is_last: bool
    """Whether the policy ended with this picture."""


def with_claims(method: FocusMethod, keep: Callable[[Claim], None]) -> FocusMethod:
    """A method whose policies play as before, and whose claims are kept.

    Args:
        method: Its policies may have a belief (`HasBelief`); of others only the object's own detail is asked.
        keep: Called with every claim.
    """

    def make(scene: Scene) -> FocusPolicy:
        cluster = "+".join(scene.arena.views[scene.start.view].photographs)
        return _Asked(method.make(scene), scene.arena, cluster, keep)

    return replace(method, make=make)


class _Asked:
    """A policy that is asked for its claims after each picture."""

    def __init__(
        self, policy: FocusPolicy, arena: Arena, cluster: str, keep: Callable[[Claim], None]
    ) -> None:
        self.name = policy.name
        self._policy, self._arena, self._cluster, self._keep = policy, arena, cluster, keep
        self._evidence: ObjectEvidence | None = None

    def reset(self, task: FocusTask) -> None:
        self._evidence = ObjectEvidence(task)
        self._lens = task.lens
        self._policy.reset(task)

    def act(self, percept: Percept) -> FocusDecision:
        if self._evidence is None:
            raise RuntimeError("act before reset: a policy needs a task for every episode")
        self._evidence.see(percept)
        blur_px = abs(self._arena.defocus_px())
        decision = self._policy.act(percept)
        for who, stated in ((BELIEF, self._believed(percept)), (OWN, self._evidence.probability)):
            if np.isfinite(stated):
                is_true = blur_px <= WITHIN_PX[who]
                self._keep(Claim(who, stated, is_true, self._cluster, decision.done))
        return decision

    def _believed(self, percept: Percept) -> float:
        held = self._policy.belief() if isinstance(self._policy, HasBelief) else None
        if held is None:
            return float("nan")
        dioptres, posterior = held
        here = np.array([self._lens.dioptres(percept.lens.commanded_position)])
        reach = SHARP_PX / abs(self._lens.blur_px(1.0, 0.0))
        return float(probability_within(posterior[None], dioptres, here, reach)[0])


def reliability(claims: Sequence[Claim], **about: object) -> list[Row]:
    """A row for each claimant and part of 0..1 that was ever stated, of all pictures and of the last ones.

    - ``who``, ``within_px``: who claimed, and how little blur
    - ``last``: whether only the last pictures of episodes count
    - ``low_end``, ``high_end``: the part of 0..1; ``pictures``: how many claims fell into it
    - ``stated``: their mean; ``frequency``: how often they were true, with ``frequency_low`` and
      ``frequency_high``, its 95 % interval by photograph or stack
    - ``error``: the mean distance of the two over all parts, weighted by pictures (expected calibration
      error); the same in each row of a claimant

    Args:
        claims: The claims.
        **about: Goes into every row.
    """
    rows: list[Row] = []
    for who, within_px in WITHIN_PX.items():
        for last in (False, True):
            mine = [claim for claim in claims if claim.who == who and (claim.is_last or not last)]
            parts = [_part(mine, number) for number in range(BINS)]
            found = [part for part in parts if part["pictures"]]
            far = sum(part["pictures"] * abs(part["stated"] - part["frequency"]) for part in found)
            error = round(far / len(mine), 4) if mine else None
            rows += [
                {**about, "who": who, "within_px": within_px, "last": last, **part, "error": error}
                for part in found
            ]
    return rows


def _part(claims: Sequence[Claim], number: int) -> Row:
    mine = [claim for claim in claims if min(int(claim.stated * BINS), BINS - 1) == number]
    row: Row = {"low_end": number / BINS, "high_end": (number + 1) / BINS, "pictures": len(mine)}
    if not mine:
        return row
    clusters: dict[str, list[float]] = {}
    for claim in mine:
        clusters.setdefault(claim.cluster, []).append(float(claim.is_true))
    share = share_of(clusters)
    interval = {"frequency_low": share.low, "frequency_high": share.high}
    return {
        **row,
        "stated": round(float(np.mean([claim.stated for claim in mine])), 4),
        "frequency": round(share.mean, 4),
        **{key: None if value is None else round(value, 4) for key, value in interval.items()},
    }
