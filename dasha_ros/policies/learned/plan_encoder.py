"""A belief whose plans are part of what A^L sees and can do, and what the object's own detail says.

A plan (`policies.planning.qmdp`) knows what turning back costs. It can say what the moves of `BeliefEncoder`
can't: "go to the near edge first, so that all that is left lies ahead". A goal ends as found only where the
object's own detail agrees (`estimation.own_sharpness`), so the network sees this, too, and may look where
the detail would tell most. Whether to follow either is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.policies.learned.belief_encoder import ACTIONS, STAY, BeliefEncoder, squeezed
from dasha_ros.policies.learned.focus_encoder import Floats
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.planning.qmdp import Plan, Prices, plans

PLANS = (Prices(), Prices(reversal=0.0, hunting=0.3))
"""A strict plan, as the baseline ``planner`` follows it, and a gentle one, for which a first turn is free."""
STRICT = ACTIONS
"""The action that follows the first of them."""
LOOK = ACTIONS + len(PLANS)
"""The action that looks where a picture would tell most about the object's own sharpness."""

SEARCH_PX = 4.0
"""Step of a search that has nowhere else to go [px of blur at 640]."""


@dataclass(frozen=True)
class _Planned:
    """Plans, and the state of the moves that they were made for."""

    state: tuple[Array, Array, NDArray[np.intp]]
    plans: tuple[Plan, ...]
    look: Array
    """Where a picture would tell most about the object's own sharpness."""


class PlanEncoder(BeliefEncoder):
    """`BeliefEncoder` with a plan for each of `PLANS`, and with the object's own sharpness.

    Observation: as there, and for each plan the distance to its target [asinh of px of blur], and how much
    more staying would cost; whether the object's own detail is known, the probability that it is sharp here
    by it, and how far its sharpest place and the next look are.

    Action: as there, and for each plan to follow it, and `LOOK`.
    """

    _planned: _Planned | None = None

    @property
    def nvec(self) -> tuple[int, ...]:
        """One choice."""
        return (LOOK + 1,)

    def observation(self, log: MoveLog) -> Floats:
        """See `FocusEncoder`."""
        here, px = self._map.dioptres(log.position), self.px_per_dioptre
        columns = [
            column
            for planned in self._plans(log)
            for column in (squeezed((planned.dioptres - here) * px), planned.gain)
        ]
        sharp = self.sharp_probability(log)
        columns += [np.isfinite(sharp), np.nan_to_num(sharp)]
        for place in (self.sharpest(log), self.next_look(log)):
            columns.append(squeezed((self._map.dioptres(place) - here) * px))
        return np.column_stack([super().observation(log), *columns]).astype(np.float32)

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        choice = np.asarray(actions).reshape(len(log.position), -1)[:, 0]
        result = super().position(np.where(choice < ACTIONS, choice, STAY), log)
        for number, planned in enumerate(self._plans(log)):
            follows = (choice == STRICT + number) & ~planned.stays
            result = np.where(follows, self._map.position(planned.dioptres), result)
        return np.where(choice == LOOK, self.next_look(log), result)

    def next_look(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return self._known(log).look

    def search(self, log: MoveLog) -> Array:
        """See `FocusEncoder`: where the strict plan goes, or `elsewhere` if it stays."""
        strict = self._plans(log)[0]
        place = self._map.position(strict.dioptres)
        goes = ~strict.stays & log.would_move(place)
        return np.where(goes, place, self.elsewhere(log))

    def elsewhere(self, log: MoveLog) -> Array:
        """The second-best place; if the lens is there already, a step nearer, or farther at the near end."""
        here, step = self._map.dioptres(log.position), SEARCH_PX / self.px_per_dioptre
        position, is_open = log.position, np.ones(len(here), bool)
        for dioptres in (self._candidates()[1].dioptres, here + step, here - step):
            place = self._map.position(dioptres)
            goes = is_open & log.would_move(place)
            position = np.where(goes, place, position)
            is_open &= ~goes
        return position

    def _belief_changed(self) -> None:
        super()._belief_changed()
        self._planned = None

    def _plans(self, log: MoveLog) -> tuple[Plan, ...]:
        return self._known(log).plans

    def _known(self, log: MoveLog) -> _Planned:
        state = log.position, log.direction, log.reversals
        known = self._planned
        if known is None or not all(map(np.array_equal, known.state, state)):
            known = _Planned(
                (log.position.copy(), log.direction.copy(), log.reversals.copy()),
                plans(
                    self._belief.posterior,
                    self._belief.dioptres,
                    self._map.dioptres(log.position),
                    log.direction * self._map.slope,
                    log.reversals,
                    px_per_dioptre=self.px_per_dioptre,
                    stay_dioptres=log.stay_dioptres,
                    each=PLANS,
                ),
                super().next_look(log),
            )
            self._planned = known
        return known
