"""How learned networks decide when they are deployed: the same on a robot and in an evaluation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.agents.focus_interface import FocusInterface
from dasha_ros.agents.moves import MoveLog
from dasha_ros.agents.net import PolicyNet

GIVE_UP = 30
"""Moves after which an object that was never found counts as not there."""


def focus_moves(
    net: PolicyNet,
    interface: FocusInterface,
    log: MoveLog,
    detected: NDArray[np.bool_],
    *,
    end_on_detection: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The next move of each episode, or its end.

    Stop rule: the network wants to stay (or to move by less than the lens can tell) and what was
    asked for is detected. Where nothing is detected, standing still finds nothing: the network's
    next best action is taken, until `GIVE_UP` moves.

    Args:
        net: Decides.
        interface: What it sees and can do.
        log: Where the lenses went.
        detected: Whether the newest pictures show what was asked for, shape (batch,).
        end_on_detection: The episode ends with the first detection, as the paper's do.
        rng: Actions are drawn by their probabilities; left out: the likeliest is taken.

    Returns:
        Where each lens should go [V], where it is for those that stop; and which stop, shape (batch,).
    """
    ranked = net.ranked(interface.observation(log), rng)
    volts = log.volts.copy()
    stop = (detected & end_on_detection) | (~detected & (log.moves >= GIVE_UP))
    open_ones = ~stop
    for action in range(ranked.shape[1]):
        if not open_ones.any():
            break
        asked = interface.volts(ranked[:, action], log)
        moves = open_ones & log.would_move(asked)
        volts[moves] = asked[moves]
        stays = open_ones & ~moves & detected
        stop |= stays
        open_ones &= ~(moves | stays)
    return volts, stop | open_ones
