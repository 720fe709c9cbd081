"""Callbacks of the focus client run in its thread: they can neither block it nor end it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ros_harness import PATIENCE_S, Child, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.client import FocusClient, FocusTask, Progress

pytestmark = pytest.mark.graph


def test_a_callback_that_would_wait_for_its_own_thread_is_told_so(server: Child, client: FocusClient) -> None:
    """It would wait for ever, and with it every other goal of the client."""
    refused: list[str] = []

    def waits(wait: Callable[[], object]) -> None:
        with pytest.raises(RuntimeError, match="can't wait for the client, in whose thread it runs") as error:
            wait()
        refused.append(str(error.value))

    later: list[FocusTask] = []
    begun = threading.Event()

    def on_feedback(_: Progress) -> None:
        assert begun.wait(PATIENCE_S)
        waits(lambda: client.focus("dog"))
        waits(client.close)
        waits(task.wait)
        waits(task.wait_for_end)

    task = client.start("cat", on_feedback=on_feedback)
    begun.set()
    task.add_done_callback(lambda ended: waits(lambda: client.focus("dog")))
    # What does not wait is allowed, and the result of a goal that has ended.
    task.add_done_callback(lambda ended: later.append(client.start("dog")) if ended.wait() else None)
    assert task.wait(PATIENCE_S).found
    wait_for(lambda: later, "the goal that the callback began")
    assert later[0].wait(PATIENCE_S).found
    # Two pieces of feedback at most; the last ones may be late for a busy machine.
    assert len(refused) in (1, 5, 9)


@pytest.mark.parametrize("error", [ValueError("a mistake"), SystemExit(3), KeyboardInterrupt()])
def test_a_callback_that_fails_harms_no_goal(
    server: Child, client: FocusClient, error: BaseException, capfd: Any, caplog: Any
) -> None:
    def fail(_: object) -> None:
        raise error

    seen: list[FocusTask] = []
    task = client.start("cat", on_feedback=fail)
    task.add_done_callback(fail)
    task.add_done_callback(seen.append)
    assert task.wait(PATIENCE_S).found
    assert client.focus("dog").found
    assert seen == [task]
    said = capfd.readouterr().err
    assert f"the feedback callback failed: {error!r}" in said
    assert f"a done callback of a goal failed: {error!r}" in caplog.text


def test_a_goal_that_comes_when_the_thread_has_ended_is_refused(server: Child, client: FocusClient) -> None:
    """Whatever ended it, the goal must not wait for it."""
    goals = client._goals
    with goals._lock:
        goals._takes_orders = False
    with pytest.raises(RuntimeError, match="the client is closed: make a new one"):
        client.start("cat")
    goals._takes_orders = True
