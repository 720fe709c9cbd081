"""The focus server with misbehaving agents, on a rig that the test plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graph import FocusClient, Graph
from scripted_rig import ScriptedRig

pytestmark = pytest.mark.graph

START_POSITION = 40.0


class Agents:
    """Both agents in the test's node. A^L finds nothing; the test says what A^H does."""

    def __init__(self, graph: Graph, rig: ScriptedRig) -> None:
        from dasha_ros.action import AdjustExposure, AdjustFocus
        from rclpy.action import ActionServer

        self.rig, self.exposure, self.focus = rig, AdjustExposure, AdjustFocus
        self.asked: list[Any] = []
        self.code, self.feedback = 0, AdjustExposure.Feedback()
        node = graph.probe.node
        self._servers = [
            ActionServer(node, AdjustExposure, "adjust_exposure", self._expose),
            ActionServer(node, AdjustFocus, "adjust_focus", self._focus),
        ]

    def _expose(self, handle: Any) -> Any:
        self.asked.append(handle.request)
        handle.publish_feedback(self.feedback)
        handle.succeed()
        return self.exposure.Result(error_code=self.code, steps=3)

    def _focus(self, handle: Any) -> Any:
        self.asked.append(handle.request)
        self.rig.position = 55.0
        self.rig.tell()
        handle.succeed()
        return self.focus.Result(error_code=202, error_msg="not found", steps=2)


@pytest.fixture
def rig(bare_graph: Graph) -> ScriptedRig:
    return ScriptedRig(bare_graph.probe, position=START_POSITION)


@pytest.fixture
def agents(bare_graph: Graph, rig: ScriptedRig) -> Agents:
    return Agents(bare_graph, rig)


def served(graph: Graph, **parameters: Any) -> FocusClient:
    """A client of a focus server with these parameters."""
    graph.start("focus_server", focus_server=parameters)
    graph.until_active("focus_server")
    return graph.client()


@pytest.fixture
def client(bare_graph: Graph, agents: Agents) -> FocusClient:
    return served(bare_graph)


def test_nothing_is_moved_that_could_not_be_restored(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    result = client.run("cat")
    assert result.error_code == client.kind.Result.LENS_LOST, result.error_msg
    assert "no lens state was ever received" in result.error_msg
    assert (rig.commands, agents.asked) == ([], [])


def test_a_lens_that_is_not_heard_because_of_its_quality_of_service_is_named(
    client: FocusClient, rig: ScriptedRig
) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    node = client.probe.node
    node.destroy_publisher(rig._lens)
    best_effort = qos._profile(reliable=False, depth=1, latched=True)
    rig._lens = node.create_publisher(msg.LensState, "lens/state", best_effort)
    rig.tell()
    heard = client.probe.subscribe(DiagnosticArray, "/diagnostics", qos.REWARD)
    why = "/dasha/lens/state does not reach /dasha/focus_server, which asks for it reliably"
    client.probe.until(
        lambda: any(s.message.startswith(why) for array in heard for s in array.status), "the diagnostics"
    )
    result = client.run("cat")
    assert result.error_code == client.kind.Result.LENS_LOST, result.error_msg
    assert "no lens state was ever received: /dasha/lens/state does not reach" in result.error_msg


def test_the_server_restores_for_an_agent_that_does_not(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    rig.tell()
    wishes = {"any_object": True, "by_priority": True, "min_distance_m": 0.5, "max_distance_m": 2.0}
    goal = client.send("cat", region=(0.25, 0.25, 0.5, 0.75), **wishes)
    result = goal.result()
    assert {name: getattr(agents.asked[1], name) for name in wishes} == wishes
    assert (agents.asked[1].region.x_min, agents.asked[1].region.y_max) == (0.25, 0.75)
    assert result.error_code == client.kind.Result.OBJECT_NOT_FOUND, result.error_msg
    assert (rig.position, result.lens_position) == (START_POSITION, START_POSITION)
    from dasha_ros.msg import FocusState

    client.probe.until(
        lambda: any(f.phase == FocusState.RESTORING for f in goal.feedback), "feedback of the way back"
    )
    # No feedback contained these numbers: they come from the agents' results.
    assert (result.exposure_steps, result.focus_steps) == (3, 2)


def test_an_invalid_answer_of_an_agent_ends_the_goal_with_an_error_code(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    rig.tell()
    agents.code = 999
    result = client.run("cat")
    assert result.error_code == client.kind.Result.INTERNAL
    assert "999" in result.error_msg
    client.probe.until(lambda: client.states[-1].state == client.states[-1].FAILED, "state FAILED")


def test_senseless_feedback_ends_neither_the_goal_nor_the_node(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    from dasha_ros import msg

    rig.tell()
    agents.feedback.reward = msg.Reward(agent="A^H", term_names=["peak"], term_values=[])
    for _ in range(2):
        result = client.run("cat")
        assert result.error_code == client.kind.Result.OBJECT_NOT_FOUND, result.error_msg


def test_the_step_limit_of_a_goal_holds_for_the_first_agent_too(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    rig.tell()
    result = client.run("cat", max_steps=3)
    assert [(request.max_steps, request.steps_left) for request in agents.asked] == [(3, 3)]
    assert result.error_code == client.kind.Result.STEPS_EXHAUSTED, result.error_msg
    assert "The exposure took all 3 steps." in result.error_msg


def test_the_step_limit_of_the_server_holds_for_a_goal_that_names_none(
    bare_graph: Graph, rig: ScriptedRig, agents: Agents
) -> None:
    client = served(bare_graph, max_steps=2)
    rig.tell()
    result = client.run("cat")
    # A^H has a limit of its own, which is not sent: it heeds the lower one.
    assert [(request.max_steps, request.steps_left) for request in agents.asked] == [(0, 2)]
    assert result.error_code == client.kind.Result.STEPS_EXHAUSTED, result.error_msg


def test_goals_of_the_background_push_out_no_persons_report(
    bare_graph: Graph, rig: ScriptedRig, agents: Agents
) -> None:
    client = served(bare_graph, report_keep=1)
    rig.tell()
    persons = Path(client.run("cat").report)
    trainers = [Path(client.run("cat", background=True).report) for _ in range(2)]
    assert persons.is_dir()
    assert trainers[0].parent == persons.parent / "background"
    assert [folder.is_dir() for folder in trainers] == [False, True]


def test_a_goal_with_thousands_of_labels_can_be_told_of(
    client: FocusClient, rig: ScriptedRig, agents: Agents
) -> None:
    rig.tell()
    sent = client.send(*["cat"] * 5000)
    sent.result()
    client.probe.until(lambda: client.states[-1].state == client.states[-1].FAILED, "the end of the goal")
    assert max(len(state.message) for state in client.states) <= 2004
    assert any(state.message.endswith(" ...") for state in client.states)
