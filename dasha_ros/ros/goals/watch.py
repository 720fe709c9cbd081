"""What to do next about a goal that another process works on, and when to give it up.

A machine without ROS and without threads: it is told what happened, asked what to do, and
both the focus server (of its agents) and every client of the focus server obey it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

SEND_AGAIN_S = 2.5
"""A goal without an answer for so long is sent again, and the newest counts: discovery still knows a
server that was killed a moment ago. A focus server may look for perception for 2 s before it answers."""
AGAIN_S = 1.0
"""A cancel without an answer for so long is sent again."""
PROBE_S = 1.0
"""After so much silence, and again each time, the server is asked whether it lives and knows the goal."""

SILENCE_S = 8.0
"""A server that gave no sign of life for so long, though it was asked, works on nothing."""


class Move(Enum):
    """What to do now."""

    WAIT = auto()
    SEND = auto()
    """Send the goal; what was sent before does not count any more."""
    PROBE = auto()
    """Ask whether the server lives, and for the goal's result: one that forgot it says so."""
    CANCEL = auto()
    """Ask for the goal's end."""


class Loss(Enum):
    """Why a goal has no result and will have none."""

    ABSENT = auto()
    """Nobody serves the action."""
    MUTE = auto()
    """A server is there and did not answer the goal."""
    REJECTED = auto()
    """The server refused the goal."""
    WITHDRAWN = auto()
    """It was cancelled before a server took it."""
    GONE = auto()
    """The server left the graph."""
    FORGOTTEN = auto()
    """The server was started anew and knows no such goal."""
    SILENT = auto()
    """The server is in the graph and answers nothing: it was stopped, hangs, or was killed just now."""
    STUCK = auto()
    """The server lives, and did not end the goal after a cancel."""


class GoalLostError(Exception):
    """A goal ended without a result."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.name.lower())
        self.loss = loss


@dataclass(frozen=True)
class Patience:
    """How long to wait [s]."""

    appear_s: float
    """For a server."""
    accept_s: float
    """For an answer to the goal."""
    silence_s: float
    """For any sign of life from a server that works on the goal."""
    end_s: float
    """For the goal's end after a cancel."""


class _Phase(Enum):
    LOOKING = auto()
    ASKING = auto()
    RUNNING = auto()


class GoalWatch:
    """One goal, from the look for a server to its end. Times are of one clock that never jumps [s]."""

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self._phase, self._since = _Phase.LOOKING, now
        self._asked_at = self._heard_at = self._probed_at = now
        self._unanswered = 0
        self._cancel_at: float | None = None
        self._hurry_s: float | None = None
        self._cancel_sent_at: float | None = None
        self._cancel_answered = False
        self._loss: Loss | None = None

    def cancel(self, now: float, end_s: float | None = None) -> None:
        """The goal shall end.

        Args:
            now: The time [s].
            end_s: Who is in a hurry waits no longer for its end [s], and not at all for a server to take it.
        """
        self._cancel_at = now if self._cancel_at is None else self._cancel_at
        self._hurry_s = end_s

    def accepted(self, now: float) -> None:
        """The server took the goal."""
        self._phase, self._since = _Phase.RUNNING, now
        self.heard(now)

    def rejected(self) -> None:
        """The server refused the goal."""
        self._loss = Loss.REJECTED

    def forgotten(self) -> None:
        """The server knows no such goal."""
        self._loss = Loss.FORGOTTEN

    def heard(self, now: float) -> None:
        """The server gave a sign of life."""
        self._heard_at = max(now, self._heard_at)
        self._unanswered = 0

    def cancel_answered(self, now: float) -> None:
        """The server heard the cancel."""
        self._cancel_answered = True
        self.heard(now)

    def next(self, now: float, server_is_there: bool) -> Move:
        """What to do now.

        Args:
            now: The time [s].
            server_is_there: Whether the graph shows a server.

        Raises:
            GoalLostError: There is nothing more to do.
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
        if now - self._since >= self._patience.appear_s:
            raise GoalLostError(Loss.ABSENT)
        return Move.WAIT

    def _ask(self, now: float) -> Move:
        if self._hurry_s is not None or now - self._since >= self._patience.accept_s:
            raise GoalLostError(Loss.MUTE if self._cancel_at is None else Loss.WITHDRAWN)
        if self._cancel_at is None and now - self._asked_at >= SEND_AGAIN_S:
            self._asked_at = now
            return Move.SEND
        return Move.WAIT

    def _follow(self, now: float) -> Move:
        if self._cancel_at is not None:
            end_s = self._patience.end_s
            if now - self._cancel_at >= (end_s if self._hurry_s is None else min(end_s, self._hurry_s)):
                raise GoalLostError(Loss.STUCK)
            sent_at = self._cancel_sent_at
            if not self._cancel_answered and (sent_at is None or now - sent_at >= AGAIN_S):
                self._cancel_sent_at = now
                return Move.CANCEL
        # Questions are counted, not seconds: a client that was itself stopped meanwhile asks first.
        if self._unanswered * PROBE_S >= self._patience.silence_s:
            raise GoalLostError(Loss.SILENT)
        if now - max(self._heard_at, self._probed_at) >= PROBE_S:
            self._probed_at = now
            self._unanswered += 1
            return Move.PROBE
        return Move.WAIT
