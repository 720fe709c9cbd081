"""Which client sent a goal, and whether it is still there."""

from __future__ import annotations

from typing import Any

import pytest
from ros_harness import PATIENCE_S, Probe, in_threads, wait_for

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.goals.clients import ClientWatch, new_goal_id

ME, OTHER = b"\x01\x0fabcdefghij", b"\x01\x0fklmnopqrst"


class World:
    """Clients that appear and disappear, and a clock."""

    def __init__(self) -> None:
        self.now, self.there = 0.0, set[bytes]()

    def watch(self, goal_id: bytes) -> ClientWatch:
        return ClientWatch(goal_id, lambda: self.there, lambda: self.now)

    def later(self, seconds: float) -> World:
        self.now += seconds
        return self


def named() -> bytes:
    goal_id = new_goal_id(ME)
    assert goal_id is not None
    return bytes(goal_id.uuid)


def test_ids_differ_and_name_their_sender() -> None:
    assert len({named() for _ in range(1000)}) == 1000
    assert {goal_id[:12] for goal_id in (named(), named())} == {ME}
    assert new_goal_id(None) is None


def test_a_named_client_that_leaves_is_gone_even_if_others_stay() -> None:
    world = World()
    world.there = {ME, OTHER}
    watch = world.watch(named())
    assert not watch.is_gone()
    world.there = {OTHER}
    world.later(1.0)
    assert watch.is_gone()


def test_a_named_client_has_time_to_be_discovered() -> None:
    world = World()
    world.there = {OTHER}
    watch = world.watch(named())
    assert not watch.is_gone()
    assert not (world.later(4.0) and watch.is_gone())
    world.later(2.0)
    assert watch.is_gone(), "it was never there: it left before its goal was read"


def test_a_goal_of_an_unnamed_client_ends_only_when_no_client_is_left() -> None:
    world = World()
    world.there = {ME, OTHER}
    watch = world.watch(bytes(range(16)))
    for there in ({ME}, {OTHER}, {ME, OTHER}):
        world.there = there
        assert not (world.later(100.0) and watch.is_gone())
    world.there = set()
    assert not (world.later(1.0) and watch.is_gone())
    world.later(6.0)
    assert watch.is_gone()


def test_a_random_id_that_is_marked_by_chance_names_no_client() -> None:
    """As rclcpp and rclpy make them: one of 65,536 has the mark."""
    world = World()
    world.there = {ME}
    watch = world.watch(b"\x9c\x31" + bytes(range(10)) + named()[12:])
    for _ in range(20):
        assert not (world.later(1.0) and watch.is_gone()), "its client is there all the time"
    world.there = set()
    assert not (world.later(1.0) and watch.is_gone())
    world.later(6.0)
    assert watch.is_gone()


class Patient:
    """A `SimpleActionServer` whose goals last until something ends them."""

    def __init__(self, probe: Probe) -> None:
        from dasha_ros.action import AdjustFocus

        from dasha_ros.policies.outcome import ErrorCode, explain
        from dasha_ros.ros.goals.simple_action_server import SimpleActionServer

        self.kind, self.reasons, self.begun = AdjustFocus, list[ErrorCode](), 0

        def work(run: Any) -> Any:
            self.begun += 1
            wait_for(run.interrupted, "an end of the goal", 2.0 * PATIENCE_S)
            self.reasons.append(run.reason)
            return AdjustFocus.Result(
                error_code=int(run.reason), error_msg=explain(run.reason, run.why), steps=1
            )

        self.server = SimpleActionServer(
            probe.node, AdjustFocus, "adjust_focus", lambda _: "", work, ends_s=9.0
        )


CLIENT = """
import sys, threading, rclpy
from rclpy.action import ActionClient
from dasha_ros.action import AdjustFocus
from dasha_ros.ros.goals.action_client import PatientActionClient
rclpy.init()
node = rclpy.create_node("robot", namespace="/dasha")
kind = {"named": PatientActionClient, "any": ActionClient}[sys.argv[1]]
client = kind(node, AdjustFocus, "adjust_focus")
client.wait_for_server()
sent = client.send_goal_async(AdjustFocus.Goal())
rclpy.spin_until_future_complete(node, sent)
print("sent", flush=True)
if sys.argv[2] == "stays":
    rclpy.spin(node)
rclpy.shutdown()
"""


@pytest.mark.graph
@pytest.mark.parametrize(("kind", "others"), [("named", True), ("any", False)])
def test_a_goal_whose_client_leaves_ends(probe: Probe, spawn: Any, kind: str, others: bool) -> None:
    from dasha_ros.action import AdjustFocus
    from rclpy.action import ActionClient

    from dasha_ros.policies.outcome import ErrorCode

    patient = Patient(probe)
    idle = ActionClient(probe.node, AdjustFocus, "adjust_focus") if others else None
    with in_threads(probe):
        assert spawn.python("-c", CLIENT, kind, "leaves").wait(PATIENCE_S) == 0
        wait_for(lambda: patient.reasons, "the end of the goal")
        assert patient.reasons == [ErrorCode.CLIENT_GONE]
        if idle is not None:
            idle.destroy()
        patient.server.destroy()


@pytest.mark.graph
def test_a_goal_ends_when_its_client_is_killed_and_other_goals_go_on(probe: Probe, spawn: Any) -> None:
    from dasha_ros.policies.outcome import ErrorCode

    patient = Patient(probe)
    with in_threads(probe, 6):
        child = spawn.python("-c", CLIENT, "named", "stays")
        child.wait_for_output("sent")
        wait_for(lambda: patient.begun, "the goal")
        child.kill()
        # It can't say goodbye, so its lease must expire.
        wait_for(lambda: patient.reasons, "the end of the goal")
        assert patient.reasons == [ErrorCode.CLIENT_GONE]
        patient.server.destroy()
