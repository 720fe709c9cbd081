"""The client of the focus server, with a server that is killed, suspended or restarted."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from ros_harness import PATIENCE_S, Child, Spawner

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.client import (
    DeadlineError,
    FocusClient,
    FocusFailedError,
    GoalRejectedError,
    NoServerError,
    Phase,
    Progress,
    ServerLostError,
)
from dasha_ros.policies.outcome import ErrorCode

pytestmark = pytest.mark.graph

SERVER = Path(__file__).parents[1] / "cli" / "fake_focus_server.py"
GIVEN_UP_S = PATIENCE_S
"""A server that is gone or silent is given up in seconds; a busy machine may take longer [s]."""


def test_a_goal_has_a_typed_result_and_typed_steps(server: Child, client: FocusClient) -> None:
    steps: list[Progress] = []
    result = client.focus(["cat", "dog"], min_score=0.5, keep_exposure=True, on_feedback=steps.append)
    server.wait_for_output("goal cat 0.5 True")
    assert result.raise_for_error() is result
    assert result.detection is not None
    assert (result.detection.label, result.detection.score, result.lens_position) == ("cat", 0.875, 43.21)
    assert (result.exposure_steps, result.focus_steps, result.report) == (1, 2, None)
    assert [(step.phase, step.step) for step in steps] == [(Phase.EXPOSING, 0), (Phase.FOCUSING, 1)]


def test_failure_rejection_and_deadline_are_distinguished(server: Child, client: FocusClient) -> None:
    failed = client.focus("fail")
    assert failed.code is ErrorCode.OBJECT_NOT_FOUND
    assert failed.report == Path("/reports/fail")
    with pytest.raises(FocusFailedError, match="Look elsewhere"):
        failed.raise_for_error()
    with pytest.raises(GoalRejectedError, match="goal rejected: 'reject' is not to my taste"):
        client.focus("reject")
    with pytest.raises(DeadlineError, match="the goal took too long; the goal was cancelled") as late:
        client.focus("wait", timeout=0.1)
    assert late.value.result is not None
    assert late.value.result.code is ErrorCode.CANCELED
    server.wait_for_output("restored after CANCELED")
    # A user's callback that fails has no effect.
    assert client.focus("cat", on_feedback=lambda _: 1 / 0).found


def test_the_reason_is_that_of_the_goal_and_not_of_an_earlier_one(server: Child, ros_env: Any) -> None:
    """The earlier one is latched, and each client hears it when it joins."""
    for label in ("this", "that", "the other"):
        with (
            FocusClient(server_timeout=PATIENCE_S) as client,
            pytest.raises(GoalRejectedError, match=f"goal rejected: '{label}' is not to my taste"),
        ):
            client.focus(["reject", label])


def test_goals_that_are_rejected_together_get_each_its_own_reason(
    server: Child, client: FocusClient, ros_env: Any
) -> None:
    with FocusClient(server_timeout=PATIENCE_S) as other:
        tasks = [
            (str(number), (client, other)[number % 2].start(["reject", str(number)])) for number in range(6)
        ]
        for name, task in tasks:
            with pytest.raises(GoalRejectedError, match=f"goal rejected: '{name}' is not to my taste"):
                task.wait(PATIENCE_S)


def test_a_missing_server_is_reported(ros_env: Any) -> None:
    with (
        FocusClient(server_timeout=0.2) as client,
        pytest.raises(NoServerError, match="no focus server answers in the namespace /dasha"),
    ):
        client.focus("cat")


ASKS_NOBODY = """
from dasha_ros.client import FocusClient, NoServerError
try:
    with FocusClient(server_timeout=0.2) as client:
        client.focus("cat")
except NoServerError:
    print("nobody answers")
"""


@pytest.mark.parametrize("home", ["home", "file/home"], ids=["a home", "no home"])
def test_a_program_without_a_node_leaves_no_log_file_and_needs_no_home(
    spawn: Spawner, tmp_path: Path, home: str
) -> None:
    """Not even root can make a folder below a file."""
    (tmp_path / "file").touch()
    child = spawn.python("-c", ASKS_NOBODY, env={"HOME": str(tmp_path / home), "TMPDIR": str(tmp_path)})
    assert child.wait() == 0, child.output
    assert child.lines == ["nobody answers"]
    assert list(tmp_path.rglob("*.log")) == []


def test_a_restarted_server_is_noticed(server: Child, client: FocusClient, spawn: Spawner) -> None:
    task = client.start("stuck")
    server.wait_for_output("goal stuck")
    server.kill()
    spawn.python(str(SERVER)).wait_for_output("ready")
    with pytest.raises(ServerLostError, match=r"the focus server (is gone|was restarted)"):
        task.wait(GIVEN_UP_S)
    assert client.focus("cat").found


def test_a_killed_server_is_noticed(server: Child, client: FocusClient) -> None:
    task = client.start("stuck")
    server.wait_for_output("goal stuck")
    server.kill()
    with pytest.raises(ServerLostError, match=r"the focus server (is gone|answered nothing)"):
        task.wait(GIVEN_UP_S)


@pytest.mark.slow
def test_a_suspended_server_does_not_continue_an_abandoned_goal(server: Child, client: FocusClient) -> None:
    # The time of a goal includes the search for its server.
    assert client.focus("cat").found
    task = client.start("wait", timeout=6.0)
    server.wait_for_output("goal wait")
    server.send(signal.SIGSTOP)
    with pytest.raises(ServerLostError, match=r"the focus server (is gone|answered nothing)"):
        task.wait(GIVEN_UP_S)
    server.send(signal.SIGCONT)
    server.wait_for_output("restored after")
    assert client.focus("cat").found


@pytest.mark.slow
def test_a_suspended_server_does_not_continue_the_goal_of_an_ended_command(
    server: Child, spawn: Spawner
) -> None:
    # Its time runs from the start of its search for a server, which can take seconds on a busy machine.
    child = spawn.dasha("focus", "wait", "--timeout", "20")
    server.wait_for_output("goal wait")
    server.send(signal.SIGSTOP)
    assert child.wait() == 3
    assert "Lens and exposure may not be restored" in child.output
    server.send(signal.SIGCONT)
    server.wait_for_output("restored after")


def test_closing_the_client_cancels_its_goals(server: Child, ros_env: Any) -> None:
    with FocusClient(server_timeout=PATIENCE_S) as client:
        task = client.start("wait")
        server.wait_for_output("goal wait")
    assert task.wait(0.0).code is ErrorCode.CANCELED
    server.wait_for_output("restored after CANCELED")


ALONE = """
from dasha_ros.client import FocusClient
with FocusClient(server_timeout=90.0) as client:
    client.focus("wait")
"""
SPINNING = """
import rclpy
from dasha_ros.client import FocusClient
rclpy.init()
node = rclpy.create_node("robot")
client = FocusClient(node, server_timeout=90.0)
async def once():
    timer.cancel()
    await client.focus_async("wait")
timer = node.create_timer(0.0, once)
rclpy.spin(node)
"""
BLOCKING = """
import rclpy
from dasha_ros.client import FocusClient
rclpy.init()
FocusClient(server_timeout=90.0).focus("wait")
"""


@pytest.mark.parametrize("script", [ALONE, SPINNING, BLOCKING], ids=["alone", "spinning", "rclpy's handlers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_program_that_ends_cancels_its_goal_first(
    server: Child, spawn: Spawner, script: str, number: int
) -> None:
    if (script, number) in [(ALONE, signal.SIGTERM), (BLOCKING, signal.SIGTERM)]:
        script = f"import signal; signal.signal(signal.SIGTERM, lambda *_: exit(1))\n{script}"
    child = spawn.python("-c", script)
    server.wait_for_output("goal wait")
    child.send(number)
    child.wait()
    # rclpy's handler of SIGTERM shuts down every context while the program exits. If it is faster than the
    # client's cancel, the server notices that its client is gone.
    races = (number, script.endswith(BLOCKING)) == (signal.SIGTERM, True)
    server.wait_for_output("restored after" if races else "restored after CANCELED")


@pytest.mark.parametrize(
    "moment", ["before the wait", "within the wait", "after the wait", "while joining again"]
)
def test_whatever_rclpy_raises_at_a_shutdown_the_goal_is_cancelled(
    server: Child, ros_env: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A signal may come at any line of rclpy, and each line raises something else."""
    import rclpy

    from dasha_ros.ros.goals import focus_client

    armed, create_node = threading.Event(), rclpy.create_node

    class Interrupted(focus_client.SingleThreadedExecutor):
        def spin_once(self, timeout_sec: float | None = None) -> None:
            is_armed = armed.is_set()
            if is_armed and moment == "after the wait":
                super().spin_once(timeout_sec)
            if is_armed:
                self._context.shutdown()
            if is_armed and moment != "while joining again":
                armed.clear()
            if is_armed and moment == "after the wait":
                return
            if is_armed and moment == "within the wait":
                raise RuntimeError("failed to initialize wait set: the given context is not valid")
            super().spin_once(timeout_sec)

    def interrupted_node(*args: Any, context: Any, **options: Any) -> Any:
        if armed.is_set():
            armed.clear()
            context.shutdown()
        return create_node(*args, context=context, **options)

    monkeypatch.setattr(focus_client, "SingleThreadedExecutor", Interrupted)
    monkeypatch.setattr(rclpy, "create_node", interrupted_node)
    with FocusClient(server_timeout=PATIENCE_S) as client:
        task = client.start("wait")
        server.wait_for_output("goal wait")
        armed.set()
        assert task.wait(GIVEN_UP_S).code is ErrorCode.CANCELED
    server.wait_for_output("restored after CANCELED")


IN_A_NODE = """
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from dasha_ros.client import FocusClient
rclpy.init()
node = rclpy.create_node("robot")
client, ticks, said = FocusClient(node, server_timeout=90.0), [], []
async def once():
    timer.cancel()
    print("awaited", (await client.focus_async("cat")).detection.label, flush=True)
    try:
        await client.focus_async("wait", timeout=1.0)
    except Exception as error:
        print("after", len(ticks), "ticks:", type(error).__name__, flush=True)
    # It blocks this executor, but does not need it.
    print("blocked", client.focus("dog").detection.label, flush=True)
    said.append(True)
timer = node.create_timer(0.0, once)
node.create_timer(0.05, lambda: ticks.append(1), ReentrantCallbackGroup())
while not said:
    rclpy.spin_once(node)
client.close()
rclpy.shutdown()
"""


def test_a_node_that_awaits_a_goal_keeps_serving_its_topics(server: Child, spawn: Spawner) -> None:
    child = spawn.python("-c", IN_A_NODE)
    assert child.wait() == 0, child.output
    assert child.wait_for_output("awaited cat")
    assert child.wait_for_output("blocked dog")
    said = child.wait_for_output("after").split()
    assert said[3] == "DeadlineError"
    assert int(said[1]) > 1


QUIET_NODE = """
import rclpy
from dasha_ros.client import FocusClient
rclpy.init()
node = rclpy.create_node("robot", start_parameter_services=False)
client = FocusClient(node, server_timeout=90.0)
async def go():
    print("awaited", (await client.focus_async("cat")).detection.label, flush=True)
executor = rclpy.executors.SingleThreadedExecutor()
executor.add_node(node)
executor.spin_until_future_complete(executor.create_task(go))
"""


def test_the_end_of_a_goal_wakes_an_executor_that_nothing_else_wakes(server: Child, spawn: Spawner) -> None:
    child = spawn.python("-c", QUIET_NODE)
    assert child.wait() == 0, child.output
    assert child.wait_for_output("awaited cat")


def test_asyncio_awaits_and_cancels(server: Child, client: FocusClient) -> None:
    async def program() -> None:
        first, second = await client.focus_async("cat"), await client.start("dog")
        assert first.found
        assert second.found
        waiting = asyncio.create_task(client.focus_async("wait"))
        while not any("goal wait" in line for line in server.lines):
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        # Its end was awaited, so the next goal preempts no goal.
        server.wait_for_output("restored after CANCELED")
        with pytest.raises(DeadlineError):
            await client.focus_async("wait", timeout=0.1)

    asyncio.run(program())


def test_missing_ros_is_explained() -> None:
    script = (
        "import sys; sys.modules['rclpy'] = None\n"
        "from dasha_ros.client import FocusClient, FocusResult\n"
        "FocusClient()"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "dasha_ros.client needs ROS 2 and the built interfaces" in ended.stderr.splitlines()[-1]
