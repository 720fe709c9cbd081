"""How learned networks decide when they are deployed: the same on a robot and in an evaluation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.policies.learned.exposure_encoder import ExposureInputs
from dasha_ros.policies.learned.focus_encoder import FocusEncoder
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.policy import ExposureRule

GIVE_UP = 12
"""Moves after which an object that was never found counts as not there."""


def focus_moves(
    net: PolicyNet,
    interface: FocusEncoder,
    log: MoveLog,
    detected: NDArray[np.bool_],
    *,
    end_on_detection: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The next move of each episode, or its end.

    Stop rule: what was asked for is detected, and the network wants to stay, to move by less than
    the lens can tell, or to and fro between two places that it has both seen. Where nothing is
    detected, standing still finds nothing: the network's next best action is taken, until
    `GIVE_UP` moves.

    Args:
        net: Decides.
        interface: What it sees and can do.
        log: Where the lenses went.
        detected: Whether the newest pictures show what was asked for, shape (batch,).
        end_on_detection: The episode ends with the first detection, as the paper's do.
        rng: Actions are drawn by their probabilities; left out: the likeliest is taken.

    Returns:
        Where each lens should go, where it is for those that stop; and which stop, shape (batch,).
    """
    ranked = net.ranked(interface.observation(log), rng)
    position = log.position.copy()
    stop = (detected & end_on_detection) | (~detected & (log.moves >= GIVE_UP))
    open_ones = ~stop
    for action in range(ranked.shape[1]):
        if not open_ones.any():
            break
        asked = interface.position(ranked[:, action], log)
        moves = open_ones & log.would_move(asked) & ~(detected & log.would_repeat(asked))
        position[moves] = asked[moves]
        stays = open_ones & ~moves & detected
        stop |= stays
        open_ones &= ~(moves | stays)
    return position, stop | open_ones


PATIENCE = 3
"""Exposures that a network may choose in vain; then what is left is halved. It needs 1.2 on average."""


class ExposureBounds:
    """What the pictures so far exclude: a brighter exposure than one that is too bright, a darker
    one than one that is too dark. It makes every search end: after `PATIENCE` choices of the
    network the end of the table that was never reached is tried, then the middle of what is open.

    It stops when its rule is satisfied (see `reached`), by the first picture already; or, ``once``, as
    Algorithm 1 has it: the network chooses one exposure, whatever the first picture is, and that is the end.
    """

    def __init__(self, batch: int, choices: int, rule: ExposureRule, once: bool = False) -> None:
        """Every exposure of a table of ``choices`` is open."""
        self._choices, self._rule, self._once = choices, rule, once
        self._dark: NDArray[np.intp] = np.full(batch, -1)
        self._bright: NDArray[np.intp] = np.full(batch, choices)
        self._choices_made = 0

    def see(self, pictures: ExposureInputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Take in the newest picture of every episode.

        Returns:
            Which are good; and which have no exposure left to try; shape (batch,).
        """
        sides = pictures.sides(self._rule)
        good, too_dark, too_bright = sides == 0, sides < 0, sides > 0
        if self._once:
            acted = self._choices_made > 0
            return good & acted, ~good & acted
        self._dark = np.where(too_dark, np.maximum(self._dark, pictures.index), self._dark)
        self._bright = np.where(too_bright, np.minimum(self._bright, pictures.index), self._bright)
        return good, ~good & (self._bright - self._dark <= 1)

    def choose(
        self, net: PolicyNet, observation: NDArray[np.floating], rng: np.random.Generator | None = None
    ) -> NDArray[np.intp]:
        """The next exposure of each episode, still open: the likeliest, or a draw; shape (batch,)."""
        ranked = net.ranked(observation, rng)[:, :, 0]
        is_open = (ranked > self._dark[:, None]) & (ranked < self._bright[:, None])
        first = is_open.argmax(axis=1)
        chosen: NDArray[np.intp] = ranked[np.arange(len(ranked)), first]
        self._choices_made += 1
        if self._choices_made <= PATIENCE:
            return chosen
        middle = (self._dark + self._bright) // 2
        result: NDArray[np.intp] = np.where(
            self._dark < 0, 0, np.where(self._bright == self._choices, self._choices - 1, middle)
        )
        return result
