"""Decides the next move about a goal that another process works on, and when to give it up.

It is a state machine without ROS and threads: the caller reports what happened and asks what to do. The
focus server uses it for its agents' goals, and every client of the focus server for its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

SEND_AGAIN_S = 2.5
"""A goal without an answer for this long is sent again [s], and the newest counts: discovery may still
show a server that was just killed. A focus server may look for perception for 2 s before it answers."""
AGAIN_S = 1.0
"""A cancel without an answer for this long is sent again [s]."""
PROBE_S = 1.0
"""After this much silence, and then periodically, the server is asked whether it knows the goal [s]."""

LOST_AFTER_S = 8.0
"""A server that gave no sign of life for this long, although it was asked, is lost [s]."""


class Move(Enum):
    """What to do now."""

    WAIT = auto()
    SEND = auto()
    """Send the goal; goals sent before no longer count."""
    PROBE = auto()
    """Ask whether the server lives, and for the result: a server that forgot the goal says so."""
    CANCEL = auto()
    """Ask the server to end the goal."""


class Loss(Enum):
    """Why a goal has no result and will have none."""

    ABSENT = auto()
    """No node serves the action."""
    MUTE = auto()
    """The server did not answer the goal."""
    REJECTED = auto()
    """The server rejected the goal."""
    WITHDRAWN = auto()
    """The goal was cancelled before a server accepted it."""
    GONE = auto()
    """The server left the graph."""
    FORGOTTEN = auto()
    """The server was restarted and does not know the goal."""
    SILENT = auto()
    """The server is in the graph but gives no answer: it was stopped, hangs, or was just killed."""
    STUCK = auto()
    """The server lives but did not end the goal after a cancel."""


class GoalLostError(Exception):
    """A goal ended without a result."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.name.lower())
        self.loss = loss


@dataclass(frozen=True)
class GoalTimeouts:
    """How long to wait [s]."""

    appear_s: float
    """For a server to appear."""
    accept_s: float
    """For the answer to the goal."""
    silence_s: float
    """For a sign of life from the server that works on the goal."""
    end_s: float
    """For the goal's end after a cancel."""


class _Phase(Enum):
    LOOKING = auto()
    ASKING = auto()
    RUNNING = auto()


class GoalWatchdog:
    """One goal, from the search for a server to its end. All times are from one monotonic clock [s]."""

    def __init__(self, timeouts: GoalTimeouts, now: float) -> None:
        self._timeouts = timeouts
        self._phase, self._since = _Phase.LOOKING, now
        self._asked_at = self._heard_at = self._probed_at = now
        self._unanswered = 0
        self._cancel_at: float | None = None
        self._hurry_s: float | None = None
        self._cancel_sent_at: float | None = None
        self._cancel_answered = False
        self._loss: Loss | None = None

    def cancel(self, now: float, end_s: float | None = None) -> None:
        """Cancel the goal.

        Args:
            now: The time [s].
            end_s: Given in a hurry: longest wait for the goal's end [s], and no wait for its acceptance.
        """
        self._cancel_at = now if self._cancel_at is None else self._cancel_at
        self._hurry_s = end_s

    def accepted(self, now: float) -> None:
        """Report that the server accepted the goal."""
        self._phase, self._since = _Phase.RUNNING, now
        self.heard(now)

    def rejected(self) -> None:
        """Report that the server rejected the goal."""
        self._loss = Loss.REJECTED

    def forgotten(self) -> None:
        """Report that the server does not know the goal."""
        self._loss = Loss.FORGOTTEN

    def heard(self, now: float) -> None:
        """Report a sign of life from the server."""
        self._heard_at = max(now, self._heard_at)
        self._unanswered = 0

    def cancel_answered(self, now: float) -> None:
        """Report that the server heard the cancel."""
        self._cancel_answered = True
        self.heard(now)

    def next(self, now: float, server_is_there: bool) -> Move:
        """Return the next move.

        Args:
            now: The time [s].
            server_is_there: Whether the graph shows a server.

        Raises:
            GoalLostError: The goal is lost.
        """
        if self._loss is not None:
            raise GoalLostError(self._loss)
        if self._phase is _Phase.LOOKING:
            return self._look(now, server_is_there)
        if self._phase is _Phase.ASKING:
            return self._ask(now)
        if not server_is_there:
            raise GoalLostError(Loss.GONE)
        return self._follow(now)

    def _look(self, now: float, server_is_there: bool) -> Move:
        if self._cancel_at is not None:
            raise GoalLostError(Loss.WITHDRAWN)
        if server_is_there:
            self._phase, self._since, self._asked_at = _Phase.ASKING, now, now
            return Move.SEND
        if now - self._since >= self._timeouts.appear_s:
            raise GoalLostError(Loss.ABSENT)
        return Move.WAIT

    def _ask(self, now: float) -> Move:
        if self._hurry_s is not None or now - self._since >= self._timeouts.accept_s:
            raise GoalLostError(Loss.MUTE if self._cancel_at is None else Loss.WITHDRAWN)
        if self._cancel_at is None and now - self._asked_at >= SEND_AGAIN_S:
            self._asked_at = now
            return Move.SEND
        return Move.WAIT

    def _follow(self, now: float) -> Move:
        if self._cancel_at is not None:
            end_s = self._timeouts.end_s
            if now - self._cancel_at >= (end_s if self._hurry_s is None else min(end_s, self._hurry_s)):
                raise GoalLostError(Loss.STUCK)
            sent_at = self._cancel_sent_at
            if not self._cancel_answered and (sent_at is None or now - sent_at >= AGAIN_S):
                self._cancel_sent_at = now
                return Move.CANCEL
        # Count probes instead of seconds, so that a client that was itself suspended asks again first.
        if self._unanswered * PROBE_S >= self._timeouts.silence_s:
            raise GoalLostError(Loss.SILENT)
        if now - max(self._heard_at, self._probed_at) >= PROBE_S:
            self._probed_at = now
            self._unanswered += 1
            return Move.PROBE
        return Move.WAIT
