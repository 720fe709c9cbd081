"""A belief whose plans are part of what A^L sees and can do.

A plan (`policies.planning.qmdp`) knows what turning back costs. It can say what the moves of `BeliefEncoder`
can't: "go to the near edge first, so that all that is left lies ahead". Whether to follow it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.policies.learned.belief_encoder import ACTIONS, STAY, BeliefEncoder, squeezed
from dasha_ros.policies.learned.focus_encoder import Floats
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.planning.qmdp import Plan, Prices, plan

PLANS = (Prices(), Prices(reversal=0.0, hunting=0.3))
"""A strict plan, as the baseline ``planner`` follows it, and a gentle one, for which a first turn is free."""
STRICT = ACTIONS
"""The action that follows the first of them."""


@dataclass(frozen=True)
class _Planned:
    """Plans, and the state of the moves that they were made for."""

    state: tuple[Array, Array, NDArray[np.intp]]
    plans: tuple[Plan, ...]


class PlanEncoder(BeliefEncoder):
    """`BeliefEncoder` with a plan for each of `PLANS`.

    Observation: as there, and for each plan the distance to its target [asinh of px of blur], and how much
    more staying would cost.

    Action: as there, and for each plan to follow it.
    """

    _planned: _Planned | None = None

    @property
    def nvec(self) -> tuple[int, ...]:
        """One choice."""
        return (ACTIONS + len(PLANS),)

    def observation(self, log: MoveLog) -> Floats:
        """See `FocusEncoder`."""
        here, px = self._map.dioptres(log.position), self._map.px_per_dioptre
        columns = [
            column
            for planned in self._plans(log)
            for column in (squeezed((planned.dioptres - here) * px), planned.gain)
        ]
        return np.column_stack([super().observation(log), *columns]).astype(np.float32)

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        choice = np.asarray(actions).reshape(len(log.position), -1)[:, 0]
        result = super().position(np.where(choice < ACTIONS, choice, STAY), log)
        for number, planned in enumerate(self._plans(log)):
            follows = (choice == STRICT + number) & ~planned.stays
            result = np.where(follows, self._map.position(planned.dioptres), result)
        return result

    def _belief_changed(self) -> None:
        super()._belief_changed()
        self._planned = None

    def _plans(self, log: MoveLog) -> tuple[Plan, ...]:
        state = log.position, log.direction, log.reversals
        known = self._planned
        if known is None or not all(map(np.array_equal, known.state, state)):
            known = _Planned(
                (log.position.copy(), log.direction.copy(), log.reversals.copy()),
                tuple(self._plan(prices, log) for prices in PLANS),
            )
            self._planned = known
        return known.plans

    def _plan(self, prices: Prices, log: MoveLog) -> Plan:
        return plan(
            self._belief.posterior,
            self._belief.dioptres,
            self._map.dioptres(log.position),
            log.direction * self._map.slope,
            log.reversals,
            px_per_dioptre=self._map.px_per_dioptre,
            stay_dioptres=log.stay_dioptres,
            prices=prices,
        )
