"""The decisions about a goal that another process works on, for every kind of server."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="the package that it is in needs scripts/setup")

from dasha_ros.ros.goals.goal_watchdog import GoalLostError, GoalTimeouts, GoalWatchdog, Loss, Move

TIMEOUTS = GoalTimeouts(appear_s=5.0, accept_s=10.0, silence_s=8.0, end_s=20.0)
TICK_S = 0.05
LONGEST_S = TIMEOUTS.appear_s + TIMEOUTS.accept_s + TIMEOUTS.end_s + TIMEOUTS.silence_s + 60.0


@dataclass
class Server:
    """A model of a server, independent of the watch: times of its events [s]."""

    appears: float = 0.0
    accepts: float = 0.1
    """Delay of its answer to a goal."""
    dies: float = float("inf")
    """When it leaves the graph."""
    hangs: float = float("inf")
    """When it stops answering."""
    forgets: float = float("inf")
    """When it is restarted."""
    ends: float = float("inf")
    """When it has the result."""
    refuses: bool = False
    restores: float = 0.5
    """Time from the first cancel that it hears to the result."""
    sent: list[float] = field(default_factory=list)
    cancels: list[float] = field(default_factory=list)


def play(server: Server, cancel_at: float = float("inf")) -> tuple[Loss | None, float, float | None]:
    """How a goal ends: the loss (`None`: a result), when, and when it was accepted."""
    watch, now = GoalWatchdog(TIMEOUTS, 0.0), 0.0
    accepted: float | None = None
    answers: list[float] = []
    while now < LONGEST_S:
        alive = now < server.hangs
        if now >= cancel_at:
            watch.cancel(now)
        if accepted is None and server.sent and alive and now >= server.sent[-1] + server.accepts:
            if server.refuses:
                watch.rejected()
            else:
                accepted = now
                watch.accepted(now)
        if accepted is not None and alive:
            if now >= server.forgets and answers and now >= answers[-1]:
                watch.forgotten()
            elif now >= server.ends or (server.cancels and now >= server.cancels[0] + server.restores):
                return None, now, accepted
            if answers and now >= answers[0]:
                answers.clear()
                watch.heard(now)
        try:
            move = watch.next(now, server.appears <= now < server.dies)
        except GoalLostError as error:
            return error.loss, now, accepted
        if move is Move.SEND and alive:
            server.sent.append(now)
        elif move is Move.PROBE and alive:
            answers.append(now + 0.1)
        elif move is Move.CANCEL and alive:
            server.cancels.append(now)
            watch.cancel_answered(now)
        now += TICK_S
    raise AssertionError("the client waits for ever")


def test_a_slow_server_is_not_given_up() -> None:
    assert play(Server(ends=50.0))[0] is None


@pytest.mark.parametrize(
    ("server", "cancel_at", "loss", "within"),
    [
        (Server(appears=1e9), 1e9, Loss.ABSENT, 5.1),
        (Server(accepts=1e9), 1e9, Loss.MUTE, 10.2),
        (Server(refuses=True), 1e9, Loss.REJECTED, 0.3),
        (Server(appears=1e9), 1.0, Loss.WITHDRAWN, 1.1),
        (Server(accepts=1e9), 1.0, Loss.WITHDRAWN, 10.2),
        (Server(dies=3.0), 1e9, Loss.GONE, 3.1),
        (Server(forgets=3.0), 1e9, Loss.FORGOTTEN, 5.0),
        (Server(hangs=3.0), 1e9, Loss.SILENT, 13.0),
        (Server(hangs=3.0), 4.0, Loss.SILENT, 13.0),
        (Server(restores=1e9), 3.0, Loss.STUCK, 23.2),
    ],
)
def test_every_fault_of_a_server_is_named_in_time(
    server: Server, cancel_at: float, loss: Loss, within: float
) -> None:
    assert play(server, cancel_at)[0] is loss
    assert play(server, cancel_at)[1] <= within


LATE = st.one_of(st.just(float("inf")), st.floats(0.0, 60.0))


@given(
    st.builds(
        Server,
        appears=st.floats(0.0, 10.0),
        accepts=st.one_of(st.floats(0.0, 2.4), st.just(1e9)),
        dies=LATE,
        hangs=LATE,
        forgets=LATE,
        ends=st.floats(0.0, 60.0),
        refuses=st.booleans(),
        restores=st.floats(0.0, 30.0),
    ),
    LATE,
)
def test_no_goal_is_awaited_forever_and_no_living_goal_is_given_up(server: Server, cancel_at: float) -> None:
    loss, when, accepted = play(server, cancel_at)
    if loss is Loss.GONE:
        assert when >= server.dies
    elif loss is Loss.SILENT:
        assert when >= server.hangs + TIMEOUTS.silence_s - 1.0
    elif loss is Loss.FORGOTTEN:
        assert when >= server.forgets
    elif loss is Loss.STUCK:
        assert when >= cancel_at + TIMEOUTS.end_s - TICK_S
        assert server.restores > TIMEOUTS.end_s - 2 * TICK_S or server.hangs < when
    elif loss is Loss.WITHDRAWN:
        assert cancel_at <= when
        assert accepted is None
    if loss is None and server.cancels:
        assert server.cancels[0] >= cancel_at


def test_a_client_that_was_suspended_asks_before_it_gives_up() -> None:
    watch = GoalWatchdog(TIMEOUTS, 0.0)
    assert watch.next(0.0, True) is Move.SEND
    watch.accepted(0.1)
    assert watch.next(1000.0, True) is Move.PROBE
    watch.heard(1000.1)
    assert watch.next(1000.2, True) is Move.WAIT


def test_a_cancel_is_repeated_until_it_is_answered() -> None:
    watch = GoalWatchdog(TIMEOUTS, 0.0)
    assert watch.next(0.0, True) is Move.SEND
    watch.accepted(0.0)
    watch.cancel(0.0)
    moves = [watch.next(t / 10, True) for t in range(25)]
    assert [t for t, move in enumerate(moves) if move is Move.CANCEL] == [0, 10, 20]
    watch.cancel_answered(2.5)
    assert all(watch.next(2.5 + t / 10, True) is not Move.CANCEL for t in range(30))


def test_a_client_in_a_hurry_waits_no_longer_than_it_may() -> None:
    watch = GoalWatchdog(TIMEOUTS, 0.0)
    watch.next(0.0, True)
    watch.cancel(1.0, end_s=2.0)
    with pytest.raises(GoalLostError, match="withdrawn"):
        watch.next(1.0, True)
    watch = GoalWatchdog(TIMEOUTS, 0.0)
    watch.next(0.0, True)
    watch.accepted(0.5)
    watch.cancel(1.0, end_s=2.0)
    watch.cancel_answered(1.1)
    watch.next(2.9, True)
    with pytest.raises(GoalLostError, match="stuck"):
        watch.next(3.0, True)
