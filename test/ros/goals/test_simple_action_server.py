"""One goal at a time, the newest one."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ros_harness import PATIENCE_S, Probe, in_threads, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

THREADS = 4
"""Number of threads of the agents and the focus server."""


class Goals:
    """A server whose goals last until they are released, and a client of it, in one node."""

    def __init__(self, probe: Probe) -> None:
        from dasha_ros.action import AdjustFocus
        from rclpy.action import ActionClient
        from rclpy.callback_groups import ReentrantCallbackGroup

        from dasha_ros.ros.goals.simple_action_server import SimpleActionServer

        self.kind = AdjustFocus
        self.begun, self.release = threading.Event(), threading.Event()
        self.server = SimpleActionServer(
            probe.node, AdjustFocus, "patient", lambda _: "", self._work,
            settings=lambda: {"lens_position": 41.5, "lens_unit": "V"}, ends_s=20.0,
        )  # fmt: skip
        self.client = ActionClient(
            probe.node, AdjustFocus, "patient", callback_group=ReentrantCallbackGroup()
        )

    def _work(self, run: Any) -> Any:
        self.begun.set()
        assert self.release.wait(PATIENCE_S)
        return self.server._failure(run.reason, run.why) if run.reason else self.kind.Result()

    def send(self) -> Any:
        """Send a goal and return the future of its result."""
        handle = wait(self.client.send_goal_async(self.kind.Goal()))
        assert handle.accepted
        return handle.get_result_async()

    def close(self) -> None:
        """Leave the graph."""
        self.client.destroy()
        self.server.destroy()


def wait(future: Any) -> Any:
    """The result of a future that another thread completes."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(PATIENCE_S), "no answer"
    return future.result()


def test_a_burst_of_goals_leaves_a_thread_for_everything_else(probe: Probe) -> None:
    from dasha_ros.policies.outcome import ErrorCode

    goals = Goals(probe)
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        results = [goals.send()]
        assert goals.begun.wait(PATIENCE_S)
        # The first goal goes on; those between it and the newest end at once.
        results += [goals.send() for _ in range(2 * THREADS)]
        codes = [wait(result).result.error_code for result in results[1:-1]]
        assert codes == [ErrorCode.PREEMPTED] * (2 * THREADS - 1)
        assert not results[-1].done()
        goals.release.set()
        assert wait(results[0]).result.error_code == ErrorCode.PREEMPTED
        assert wait(results[-1]).result.error_code == ErrorCode.NONE
        goals.close()


def test_a_goal_that_ends_before_its_turn_tells_what_is_active(probe: Probe) -> None:
    goals = Goals(probe)
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        goals.send()
        assert goals.begun.wait(PATIENCE_S)
        waiting = goals.send()
        goals.send()
        result = wait(waiting).result
        assert (result.lens_position, result.lens_unit) == (41.5, "V")
        goals.release.set()
        goals.close()


def test_only_a_goal_that_was_cancelled_is_canceled(probe: Probe) -> None:
    """One that a newer goal has ended already is aborted, though its client then cancels it."""
    from action_msgs.msg import GoalStatus

    from dasha_ros.policies.outcome import ErrorCode

    goals = Goals(probe)
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        first = wait(goals.client.send_goal_async(goals.kind.Goal()))
        assert goals.begun.wait(PATIENCE_S)
        second = wait(goals.client.send_goal_async(goals.kind.Goal()))
        wait(first.cancel_goal_async())
        wait(second.cancel_goal_async())
        goals.release.set()
        ends = [wait(handle.get_result_async()) for handle in (first, second)]
        assert [end.result.error_code for end in ends] == [ErrorCode.PREEMPTED, ErrorCode.CANCELED]
        assert [end.status for end in ends] == [GoalStatus.STATUS_ABORTED, GoalStatus.STATUS_CANCELED]
        goals.close()


@pytest.mark.parametrize("waits", [False, True])
def test_a_cancel_counts_that_is_served_before_the_server_hears_of_the_goal(
    probe: Probe, waits: bool
) -> None:
    """rclpy answers the request for a goal, and only then tells the server that the goal was accepted."""
    from action_msgs.msg import GoalStatus

    from dasha_ros.policies.outcome import ErrorCode

    goals, canceled = Goals(probe), threading.Event()

    def accept_late(handle: Any) -> None:
        assert canceled.wait(PATIENCE_S)
        goals.server._on_accepted(handle)

    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        if waits:
            goals.send()
            assert goals.begun.wait(PATIENCE_S)
        else:
            goals.release.set()
        goals.server._server.register_handle_accepted_callback(accept_late)
        handle = wait(goals.client.send_goal_async(goals.kind.Goal()))
        assert wait(handle.cancel_goal_async()).goals_canceling
        canceled.set()
        end = wait(handle.get_result_async())
        assert (end.status, end.result.error_code) == (GoalStatus.STATUS_CANCELED, ErrorCode.CANCELED)
        goals.release.set()
        goals.close()


def test_a_server_that_stops_also_ends_waiting_goals(probe: Probe) -> None:
    from dasha_ros.policies.outcome import ErrorCode

    goals = Goals(probe)
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        first = goals.send()
        assert goals.begun.wait(PATIENCE_S)
        second = goals.send()
        stopping = threading.Thread(target=goals.server.stop)
        stopping.start()
        wait_for(lambda: goals.server._newest.reason, "the interruption")
        goals.release.set()
        stopping.join(PATIENCE_S)
        assert not stopping.is_alive()
        assert goals.server._open == 0
        assert wait(first).result.error_code == ErrorCode.PREEMPTED
        assert wait(second).result.error_code == ErrorCode.SHUTDOWN
        goals.close()


class Handle:
    """The id of a goal without a client."""

    def __init__(self, background: bool) -> None:
        self.goal_id = SimpleNamespace(uuid=bytes(range(16)))
        self.request = SimpleNamespace(background=background, max_seconds=0.0)
        self.is_cancel_requested = False

    def execute(self) -> None:
        """The test decides when."""


class Bench:
    """A server without ROS: requests, acceptances and ends in any order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from dasha_ros.ros.goals import simple_action_server as single_goal

        monkeypatch.setattr(single_goal, "_ReportingServer", lambda *_, **__: None)
        logger = SimpleNamespace(info=lambda *_, **__: None)
        node: Any = SimpleNamespace(get_logger=lambda: logger)
        self.server = single_goal.SimpleActionServer(node, None, "", lambda _: "", lambda _: None, ends_s=1.0)
        self.asked: list[Handle] = []

    def ask(self, background: bool) -> bool:
        """Request a goal; it is accepted later."""
        from rclpy.action import GoalResponse

        handle = Handle(background)
        accepted = self.server._on_goal(handle.request) == GoalResponse.ACCEPT
        if accepted:
            self.asked.append(handle)
        return bool(accepted)

    def accept(self) -> Any:
        """Accept the goal that was requested first; return it if it is the current goal now."""
        handle = self.asked.pop(0)
        self.server._on_accepted(handle)
        newest = self.server._newest
        return newest if newest is not None and newest.handle is handle else None


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.booleans()),
            st.tuples(st.sampled_from(["accept", "end"]), st.booleans()),
        ),
        max_size=25,
    )
)
def test_a_background_goal_preempts_no_goal_and_yields_to_every_goal(steps: list[tuple[str, bool]]) -> None:
    from dasha_ros.policies.outcome import ErrorCode

    with pytest.MonkeyPatch.context() as monkeypatch:
        bench = Bench(monkeypatch)
        at_work: Any = None
        for what, background in steps:
            if what == "ask":
                assert bench.ask(background) != (background and at_work is not None)
            elif what == "accept" and bench.asked:
                coming_second = bench.asked[0].request.background and at_work is not None
                run = bench.accept()
                assert (run is None) == coming_second, "only a background goal has no turn"
                if coming_second:
                    assert at_work.reason is None
                    continue
                assert run.reason is None
                assert at_work is None or at_work.reason == ErrorCode.PREEMPTED
                at_work = run
            elif what == "end" and at_work is not None:
                at_work.finished, at_work = True, None


class Slow:
    """Stands in for rclpy's log, which writes one line between a goal's end and the sending of its result."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def debug(self, line: str) -> None:
        if "finished with state" in line:
            self.reached.set()
            assert self.go_on.wait(PATIENCE_S)


def test_a_server_that_has_stopped_has_sent_the_result_of_its_goal(probe: Probe) -> None:
    from dasha_ros.policies.outcome import ErrorCode

    goals, slow = Goals(probe), Slow()
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        result = goals.send()
        assert goals.begun.wait(PATIENCE_S)
        asked = goals.server._server._result_futures
        wait_for(lambda: any(future._callbacks for future in asked.values()), "the request for the result")
        goals.server._server._logger = slow
        leaving = threading.Thread(target=goals.server.stop)
        leaving.start()
        wait_for(lambda: goals.server._newest.reason, "the interruption")
        goals.release.set()
        assert slow.reached.wait(PATIENCE_S)
        leaving.join(0.2)
        assert leaving.is_alive()
        slow.go_on.set()
        assert wait(result).result.error_code == ErrorCode.SHUTDOWN
        leaving.join(PATIENCE_S)
        goals.close()


def test_a_server_that_has_stopped_has_sent_answers_that_were_only_begun(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rclpy answers in tasks of the executor; a pending one must not be lost when the node ends."""
    goals = Goals(probe)
    tasks: list[Any] = []
    with in_threads(probe, THREADS):
        assert goals.client.wait_for_server(PATIENCE_S)
        result = goals.send()
        assert goals.begun.wait(PATIENCE_S)
        asked = goals.server._server._result_futures
        wait_for(lambda: any(future._callbacks for future in asked.values()), "the request for the result")
        (future,) = asked.values()
        # The executor is busy with something else.
        monkeypatch.setattr(
            future, "_executor", lambda: SimpleNamespace(create_task=lambda *a: tasks.append(a))
        )
        leaving = threading.Thread(target=goals.server.stop)
        leaving.start()
        goals.release.set()
        wait_for(lambda: len(tasks) == 2, "the answer and what follows it")
        assert leaving.is_alive()
        for call, *args in tasks:
            call(*args)
        leaving.join(PATIENCE_S)
        assert not leaving.is_alive()
        assert wait(result).status != 0
        goals.close()


def test_a_goal_ends_when_the_time_of_its_request_is_up_or_else_that_of_its_server() -> None:
    from dasha_ros.policies.outcome import ErrorCode
    from dasha_ros.ros.goals.simple_action_server import ActiveGoal

    def goal(seconds: float) -> ActiveGoal:
        request = SimpleNamespace(background=False, max_seconds=seconds)
        handle: Any = SimpleNamespace(request=request, is_cancel_requested=False)
        watch: Any = SimpleNamespace(is_gone=lambda: False)
        return ActiveGoal(handle, watch)

    assert goal(1e-9).interrupted() is ErrorCode.TIME_EXHAUSTED
    assert goal(0.0).interrupted() is None
    own, default = goal(600.0), goal(0.0)
    for run in (own, default):
        run.limit(1e-9)
    assert (own.interrupted(), default.interrupted()) == (None, ErrorCode.TIME_EXHAUSTED)
    assert default.why == "the time of the goal is up"


def test_everybody_who_waits_for_a_result_gets_it(probe: Probe) -> None:
    """With ROS 2's usual depth of its services only the last ten do."""
    from dasha_ros.ros.goals.action_client import PatientActionClient

    goals = Goals(probe)
    many = PatientActionClient(probe.node, goals.kind, "patient")
    with in_threads(probe, THREADS):
        assert many.wait_for_server(PATIENCE_S)
        handle = wait(many.send_goal_async(goals.kind.Goal()))
        before = [handle.get_result_async() for _ in range(40)]
        goals.release.set()
        after = [handle.get_result_async() for _ in range(40)]
        assert len([wait(answer) for answer in (*before, *after)]) == 80
        many.destroy()
        goals.close()
