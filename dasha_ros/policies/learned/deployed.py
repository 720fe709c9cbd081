"""How deployed networks decide, on a robot and in an evaluation alike."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.policies.learned.exposure_encoder import ExposureEncoder, ExposureInputs
from dasha_ros.policies.learned.focus_encoder import FocusEncoder
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.policy import ExposureRule

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

EVIDENCE = 0.7
"""Below this probability that the object itself is sharp, one more look is taken before the end."""
SURE = 0.9
"""From this probability on, the object is not left."""
REFUTED = 0.02
"""Below this probability of being in focus, by everything that was seen, the object's own detail alone keeps
nobody at a place: in some photographs, and around small objects, it points elsewhere."""
MOST_MOVES = 10
"""After this many moves no more evidence is looked for."""
PLANNED_SEARCH = 4
"""After this many moves without a detection a belief with plans searches on by them. A network that has found
nothing by then often takes small steps about the focus of the background."""
GIVE_UP = 12
"""After this many moves without a detection the object counts as absent."""


def focus_moves(
    net: PolicyNet,
    encoder: FocusEncoder,
    log: MoveLog,
    detected: NDArray[np.bool_],
    *,
    end_on_detection: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Array, Flags]:
    """The next move of each episode, or its end.

    An episode stops when a wanted object is detected and the network wants to stay, to make a move that is
    too small, or to move back and forth between two places that it has already seen; and the object's own
    detail agrees. While nothing is detected, staying is useless, and so is to move back and forth: the
    network's next best action is taken, and from `PLANNED_SEARCH` moves on its plan's, for up to `GIVE_UP`
    moves.

    Args:
        net: Decides.
        encoder: What it sees and can do.
        log: The moves so far.
        detected: Whether the newest pictures show a wanted object, shape (batch,).
        end_on_detection: Stop at the first detection, as in the paper.
        rng: Samples actions by their probabilities; left out: the likeliest is taken.

    Returns:
        The target of each lens (its own place where it stops), and which episodes stop; shape (batch,).
    """
    ranked = net.ranked(encoder.observation(log), rng)
    position = log.position.copy()
    stop = (detected & end_on_detection) | (~detected & (log.moves >= GIVE_UP))
    searches, look = _planned_search(encoder, log, detected)
    open_ones = ~stop
    # Only the second round lets a lens move back and forth before a silent detector; the paper has no first.
    for again, action in product((end_on_detection, True), range(ranked.shape[1])):
        if not open_ones.any():
            break
        asked = np.where(searches, look, encoder.position(ranked[:, action], log))
        repeats = log.would_repeat(asked) & (detected | (not again))
        moves = open_ones & log.would_move(asked) & ~repeats
        position[moves] = asked[moves]
        stays = open_ones & ~moves & detected
        stop |= stays
        open_ones &= ~(moves | stays)
    stop |= open_ones
    return (position, stop) if end_on_detection else by_evidence(encoder, log, position, detected, stop)


def _planned_search(encoder: FocusEncoder, log: MoveLog, detected: Flags) -> tuple[Flags, Array]:
    """Which episodes search on by a plan, and where it goes."""
    searches = ~detected & (log.moves >= PLANNED_SEARCH)
    if not searches.any():
        return searches, log.position
    look = encoder.search(log)
    return searches & log.would_move(look), look


def by_evidence(
    encoder: FocusEncoder, log: MoveLog, position: Array, detected: Flags, stop: Flags
) -> tuple[Array, Flags]:
    """What the object's own detail says about ends and moves that a policy chose.

    An episode that would end without evidence that the object itself is sharp looks once more, but does not
    move back and forth for it. One that would leave a place where the object is known to be sharp ends there,
    unless all else that was seen speaks against this place; if the detector is silent there, not before the
    sharpest place was tried.
    """
    sharp = encoder.sharp_probability(log)
    possible = encoder.focus_probability(log) >= REFUTED
    leaves = ~stop & (sharp >= SURE) & possible & encoder.is_far(position, log)
    sharpest = encoder.sharpest(log)
    tries = (
        leaves & ~detected & log.would_move(sharpest) & (log.moves < MOST_MOVES) & ~log.would_repeat(sharpest)
    )
    position = np.where(tries, sharpest, position)
    leaves &= ~tries
    unsure = detected & stop & (sharp < EVIDENCE) & (log.moves < MOST_MOVES)
    if unsure.any():
        look = encoder.next_look(log)
        unsure &= log.would_move(look) & ~log.would_repeat(look)
        position = np.where(unsure, look, position)
    return np.where(leaves, log.position, position), (stop | leaves) & ~unsure


def as_deployed(encoder: FocusEncoder, log: MoveLog, asked: Array, detected: Flags) -> Array:
    """Where the lens of an episode goes when a policy asks for a place, if it is played as deployed.

    What would end a goal is held against the object's own detail; see `by_evidence`. An episode that ends
    rests where it is.

    Args:
        encoder: What the policy sees and can do.
        log: The moves so far.
        asked: Where the policy wants to go, shape (batch,).
        detected: Whether the newest pictures show a wanted object, shape (batch,).
    """
    searches, look = _planned_search(encoder, log, detected)
    asked = np.where(searches, look, asked)
    stop = detected & (~log.would_move(asked) | log.would_repeat(asked))
    return by_evidence(encoder, log, np.where(stop, log.position, asked), detected, stop)[0]


PATIENCE = 3
"""Number of exposures that the network may choose; then the open range is halved. It needs 1.2 on average."""


class ExposureBounds:
    """Excludes exposures by the pictures so far: longer ones after a picture that is too bright, shorter ones
    after one that is too dark. This ends every search: after `PATIENCE` choices of the network, an end of the
    table that was never reached is tried, then the middle of the open range.

    It stops when a picture satisfies its rule (see `reached`), even the first one. With ``once``, as in
    Algorithm 1, the network chooses one exposure, whatever the first picture is, and the episode ends.
    """

    def __init__(self, batch: int, table: ExposureTable, rule: ExposureRule, once: bool = False) -> None:
        """Every exposure of the table is open."""
        choices = len(table)
        self._choices, self._rule, self._once = choices, rule, once
        self._first, self._last = table.alike()
        self._dark: NDArray[np.intp] = np.full(batch, -1)
        self._bright: NDArray[np.intp] = np.full(batch, choices)
        self._choices_made = 0

    def see(self, pictures: ExposureInputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Take in the newest picture of every episode.

        Returns:
            Which pictures are good, and which episodes have no exposure left to try; shape (batch,).
        """
        sides = pictures.sides(self._rule)
        good, too_dark, too_bright = sides == 0, sides < 0, sides > 0
        if self._once:
            acted = self._choices_made > 0
            return good & acted, ~good & acted
        self._dark = np.where(too_dark, np.maximum(self._dark, self._last[pictures.index]), self._dark)
        self._bright = np.where(
            too_bright, np.minimum(self._bright, self._first[pictures.index]), self._bright
        )
        return good, ~good & (self._bright - self._dark <= 1)

    def choose(
        self, net: PolicyNet, encoder: ExposureEncoder, rng: np.random.Generator | None = None
    ) -> NDArray[np.intp]:
        """The next open exposure of each episode: the likeliest one, or a sample; shape (batch,).

        Args:
            net: Decides.
            encoder: What it sees and can do.
            rng: Samples actions by their probabilities; left out: the likeliest is taken.
        """
        ranked = encoder.index(net.ranked(encoder.observation(), rng)[:, :, 0])
        is_open = (ranked > self._dark[:, None]) & (ranked < self._bright[:, None])
        chosen: NDArray[np.intp] = ranked[np.arange(len(ranked)), is_open.argmax(axis=1)]
        self._choices_made += 1
        chooses = is_open.any(axis=1) & (self._choices_made <= PATIENCE)
        middle = (self._dark + self._bright) // 2
        halved = np.where(
            self._dark < 0, 0, np.where(self._bright == self._choices, self._choices - 1, middle)
        )
        result: NDArray[np.intp] = np.where(chooses, chosen, halved)
        return result
