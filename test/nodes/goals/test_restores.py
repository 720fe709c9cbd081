"""Whichever node dies during a goal, lens and exposure are restored, or the result says that they are not.

Both actuators are first set to values that no driver starts with, so that a driver that restarted and forgot
everything differs from one whose setting was restored.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from graph import Graph
from in_force import LISTENERS
from ros_harness import command
from transitions import change_state, until_discovered

pytestmark = [pytest.mark.graph, pytest.mark.slow]

EXPOSURE_US, POSITIONS = 3210.0, 47.5
SAID = "could not be restored"
FOCUSING, HOLDING = 2, 6
ENDED = "failed after"
"""In the log of an agent whose part of a goal did not end well."""
_instances = itertools.count()


class InForce:
    """The drivers' states, and permanent commands of a person."""

    def __init__(self, graph: Graph) -> None:
        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.graph, self.msg, self.qos = graph, msg, qos
        self.lens = graph.probe.subscribe(msg.LensState, "lens/state", qos.STATE)
        self.camera = graph.probe.subscribe(msg.CaptureInfo, "camera/state", qos.STATE)
        self.sender = f"a person {next(_instances)}"
        self.exposes = graph.probe.publisher(
            msg.ExposureCommand, "camera/exposure_command", qos.COMMAND, matched=LISTENERS
        )
        self.moves = graph.probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND, matched=LISTENERS)

    @property
    def now(self) -> tuple[float, float]:
        return self.camera[-1].exposure_us, self.lens[-1].commanded_position

    def set(self) -> None:
        """Command both permanently, and wait until both are active."""
        expose = command(self.msg.ExposureCommand, sender=self.sender, exposure_us=EXPOSURE_US)
        move = command(self.msg.LensCommand, sender=self.sender, position=POSITIONS)
        self.exposes.publish(expose)
        self.moves.publish(move)
        self.graph.probe.until(
            lambda: (
                self.camera
                and self.lens
                and self.camera[-1].exposure_command == expose.id
                and self.lens[-1].command == move.id
            ),
            "exposure and lens where the person wants them",
        )

    def until_left(self) -> None:
        """Wait until a goal has changed both."""
        self.graph.probe.until(
            lambda: self.now[0] != EXPOSURE_US and self.now[1] != POSITIONS, "a goal that moves both"
        )

    def until_back(self, why: str) -> None:
        try:
            self.graph.probe.until(lambda: self.now == (EXPOSURE_US, POSITIONS), "exposure and lens")
        except AssertionError as error:
            last = self.camera[-1].exposure_command, self.lens[-1].command, list(self.lens[-1].faults)
            pytest.fail(f"{why}, {error} to be {(EXPOSURE_US, POSITIONS)} again: {self.now}, {last}")


@pytest.fixture
def in_force(graph: Graph) -> Iterator[InForce]:
    found = InForce(graph)
    found.set()
    yield found
    for name in ("focus_server", "high_level_agent", "low_level_agent", "camera_driver", "lens_driver"):
        if name not in graph.processes:
            graph.start(name)
            graph.until_active(name)


def test_a_killed_focus_server_leaves_nothing_behind(graph: Graph, in_force: InForce) -> None:
    """Each driver restores its actuator once the owner of its commands is gone."""
    graph.client().send("giraffe").until_step(phase=FOCUSING)
    in_force.until_left()
    graph.kill("focus_server")
    in_force.until_back("the focus server was killed")


def test_a_focus_server_killed_while_it_holds_leaves_nothing_behind(graph: Graph, in_force: InForce) -> None:
    """The agents' parts of a hold began with settings of the goal, which must not come back."""
    agents = [graph.processes[name] for name in ("low_level_agent", "high_level_agent")]
    before = [agent.output.count(ENDED) for agent in agents]
    graph.client().send("motorcycle", hold=True).until_step(phase=HOLDING)
    in_force.until_left()
    graph.kill("focus_server")
    graph.probe.until(
        lambda: all(agent.output.count(ENDED) > known for agent, known in zip(agents, before, strict=True)),
        "both agents to notice",
    )
    in_force.until_back("the focus server was killed while it held")


def test_a_hold_that_its_server_ends_fails_and_restores(graph: Graph, in_force: InForce) -> None:
    from lifecycle_msgs.msg import Transition

    goal = graph.client().send("motorcycle", hold=True)
    goal.until_step(phase=HOLDING)
    in_force.until_left()
    assert change_state(graph.probe, "focus_server", Transition.TRANSITION_DEACTIVATE)
    result = goal.result()
    in_force.until_back("the focus server was deactivated while it held")
    assert change_state(graph.probe, "focus_server", Transition.TRANSITION_ACTIVATE)
    assert result.error_code == result.SHUTDOWN, result.error_msg


@pytest.mark.parametrize("victim", ["camera_driver", "lens_driver"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_restarted_driver_is_commanded_to_its_last_setting(
    graph: Graph, in_force: InForce, victim: str, how: signal.Signals
) -> None:
    """Neither its latched last state nor its default at start is the setting to restore."""
    client = graph.client()
    goal = client.send("giraffe")
    goal.until_step(phase=FOCUSING)
    in_force.until_left()
    process = graph.processes.pop(victim)
    process.send(how)
    process.wait()
    graph.start(victim)
    result = goal.result()
    assert result.error_code != 0
    graph.until_active(victim)
    if SAID not in result.error_msg:
        in_force.until_back(f"{victim} got {how.name}, and the result says {result.error_msg}")
    found = client.run("motorcycle")
    assert found.error_code == 0, found.error_msg


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_the_lens_is_restored_when_an_agent_dies_during_a_direct_goal(
    graph: Graph, in_force: InForce, how: signal.Signals
) -> None:
    from dasha_ros.action import AdjustFocus
    from rclpy.action import ActionClient

    probe = graph.probe
    client = ActionClient(probe.node, AdjustFocus, "adjust_focus")
    probe.until(client.server_is_ready, "the agent")
    until_discovered(probe, "low_level_agent")
    assert probe.result(client.send_goal_async(AdjustFocus.Goal(labels=["giraffe"])), "an answer").accepted
    probe.until(lambda: in_force.now[1] != POSITIONS, "the agent to move the lens")
    graph.processes["low_level_agent"].send(how)
    in_force.until_back(f"the agent got {how.name}")
    if how == signal.SIGSTOP:
        graph.processes["low_level_agent"].send(signal.SIGCONT)
    graph.processes.pop("low_level_agent").kill()
    client.destroy()


def test_the_focus_that_a_goal_found_stays_when_its_nodes_end(graph: Graph, in_force: InForce) -> None:
    client = graph.client()
    found = client.run("motorcycle")
    assert found.error_code == 0, found.error_msg
    reached = found.exposure_us, found.lens_position
    server = graph.processes["focus_server"].pid
    # The owner confirmed both, so its own commands are active and not the goal's.
    # The result may arrive before the drivers' states, which the server has received.
    graph.probe.until(lambda: in_force.now == reached, f"{reached} in force")
    for said in (lambda: in_force.camera[-1].exposure_command, lambda: in_force.lens[-1].command):
        graph.probe.until(
            lambda said=said: said().sender.startswith("/dasha/focus_server#"),
            f"the owner's command to be active, and not {said()} (server {server})",
        )
    for name in ("focus_server", "low_level_agent", "high_level_agent", "camera_driver", "lens_driver"):
        assert graph.processes.pop(name).stop() == 0
    graph.probe.until(lambda: list(in_force.lens[-1].faults) == ["not active"], "the lens driver's last word")
    assert in_force.now == reached


@pytest.mark.parametrize("phase", [1, FOCUSING])
def test_all_nodes_are_interrupted_at_once_in_a_goal(bare_graph: Graph, phase: int) -> None:
    """As with `ros2 launch`: each driver's last state is the setting before the goal."""
    graph = bare_graph
    graph.start()
    graph.until_active()
    client, in_force = graph.client(), InForce(graph)
    in_force.set()
    client.send("giraffe").until_step(phase=phase)
    if phase == FOCUSING:
        in_force.until_left()
    for process in graph.processes.values():
        process.send(signal.SIGINT)
    codes: dict[str, Any] = {}

    def ended() -> bool:
        codes.update({name: process.returncode for name, process in graph.processes.items()})
        return None not in codes.values()

    graph.probe.until(ended, "the end of all nodes")
    assert set(codes.values()) == {0}, {name: graph.processes[name].output for name in codes if codes[name]}
    # Their last words may wait in the probe's queues.
    in_force.until_back("all nodes were interrupted")
