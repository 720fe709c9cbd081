"""How every node behaves: it starts, refuses bad parameters with the reason, and ends cleanly."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from graph import NODES, Graph
from sros2_policy import forbidden, unused
from sros2_policy import read as policy
from transitions import change_state, until_discovered

from dasha_ros.config import NODES as CONFIGS
from dasha_ros.config import limits_of, unit_of
from dasha_ros.system.paths import share_dir

pytestmark = pytest.mark.graph


def start_by_a_lifecycle_manager(graph: Graph) -> None:
    """What Nav2's lifecycle_manager does: configures all nodes in its order, then activates all."""
    from lifecycle_msgs.msg import Transition

    graph.start(**{name: {"autostart": "false"} for name in NODES})
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        for name in NODES:
            assert change_state(graph.probe, name, transition), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_node_ends_cleanly(bare_graph: Graph, number: signal.Signals) -> None:
    if number is signal.SIGINT:
        bare_graph.start()
    else:
        start_by_a_lifecycle_manager(bare_graph)
    bare_graph.until_active()
    for process in bare_graph.processes.values():
        process.send(number)
    for name, process in bare_graph.processes.items():
        assert process.wait() == 0, f"{name}:\n{process.output}"
        assert "Traceback" not in process.output, f"{name}:\n{process.output}"


def test_an_agent_that_ends_during_a_goal_restores_its_actuator(bare_graph: Graph) -> None:
    from dasha_ros.action import AdjustFocus
    from dasha_ros.msg import LensState
    from rclpy.action import ActionClient

    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    graph.start("twin_world", "camera_driver", "lens_driver", "perception", "low_level_agent")
    graph.until_active()
    lens = probe.subscribe(LensState, "lens/state", qos.STATE)
    probe.until(lambda: lens, "the lens's state")
    before = lens[-1].commanded_position
    client = ActionClient(probe.node, AdjustFocus, "adjust_focus")
    probe.until(client.server_is_ready, "the agent")
    until_discovered(probe, "low_level_agent")
    steps: list[int] = []
    sent = client.send_goal_async(
        AdjustFocus.Goal(labels=["giraffe"]), lambda m: steps.append(m.feedback.reward.step)
    )
    assert probe.result(sent, "an answer to the goal").accepted
    moved = lambda: steps and steps[-1] >= 2 and lens[-1].commanded_position != before  # noqa: E731
    probe.until(moved, "the agent to move the lens")
    assert graph.processes["low_level_agent"].stop(signal.SIGINT) == 0
    probe.until(lambda: lens[-1].commanded_position == before, f"the lens back at {before} V")


def test_a_focus_server_that_ends_during_a_goal_says_so(bare_graph: Graph) -> None:
    from dasha_ros.msg import FocusState

    graph = bare_graph
    graph.start()
    graph.until_active()
    client = graph.client()
    client.send("giraffe").until_step(phase=FocusState.FOCUSING)
    assert graph.processes["focus_server"].stop(signal.SIGTERM) == 0
    graph.probe.until(lambda: client.states[-1].state == FocusState.FAILED, "the end of the goal to be told")
    assert "stop" in client.states[-1].message


def test_parameters_say_what_they_are(graph: Graph) -> None:
    from rcl_interfaces.srv import DescribeParameters

    for node in NODES:
        model = CONFIGS[node]
        keys = list(model.model_fields)
        answer = graph.probe.call(
            DescribeParameters, f"{node}/describe_parameters", DescribeParameters.Request(names=keys)
        )
        for key, told in zip(keys, answer.descriptors, strict=True):
            assert told.description, f"{node}.{key}"
            assert unit_of(model, key) in told.description
            limits = limits_of(model, key)
            ranges = [*told.integer_range, *told.floating_point_range]
            assert [(r.from_value, r.to_value) for r in ranges] == ([limits] if limits else [])


@pytest.mark.parametrize(
    ("node", "name", "value", "words"),
    [
        ("twin_world", "illuminance_lx", -5.0, "illuminance_lx"),
        ("twin_world", "illuminance_lx", float("nan"), "illuminance_lx"),
        ("twin_world", "illuminance_lx", "bright", "illuminance_lx"),
        ("camera_driver", "preview_rate_hz", 1000.0, "preview_rate_hz"),
        ("camera_driver", "capture_mode", "sometimes", "free_running"),
        ("camera_driver", "width", 320, "deactivate it and clean it up first"),
        ("perception", "min_score", 2.0, "min_score"),
        ("focus_server", "report_keep", 0, "report_keep"),
        ("low_level_agent", "retries", -1, "retries"),
    ],
)
def test_a_parameter_out_of_range_is_refused_with_the_reason(
    graph: Graph, node: str, name: str, value: object, words: str
) -> None:
    answer = graph.probe.set_parameter(node, name, value)
    assert not answer.successful
    assert words in answer.reason


def test_an_integer_is_accepted_for_a_float(graph: Graph) -> None:
    assert graph.probe.set_parameter("twin_world", "illuminance_lx", 250).successful
    assert graph.probe.set_parameter("twin_world", "illuminance_lx", 300.0).successful


@pytest.mark.parametrize(
    ("node", "values", "words"),
    [
        ("camera_driver", {"width": 3}, "width = 3"),
        ("lens_driver", {"backend": "magic"}, "backend = 'magic'"),
        ("high_level_agent", {"exposure_max_us": 30.0}, "exposure_max_us (30) must be more than twice"),
    ],
)
def test_bad_parameters_at_start_end_the_node_with_the_reason(
    bare_graph: Graph, node: str, values: dict[str, object], words: str
) -> None:
    bare_graph.start(node, **{node: values})
    process = bare_graph.processes[node]
    assert process.wait() == 2, process.output
    assert words in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize(
    ("node", "values", "words"),
    [
        ("perception", {"encoder": "vgg"}, "efficientnet_lite0"),
        ("perception", {"detector_weights": "/nowhere/net.onnx"}, "/nowhere/net.onnx"),
        ("perception", {"detector": "ultralytics", "detector_weights": "/nowhere/net.pt"}, "net.pt"),
        ("low_level_agent", {"policy": "wishful"}, "coarse_to_fine"),
        ("lens_driver", {"profile": "/nowhere/lens.yaml"}, "/nowhere/lens.yaml"),
        ("high_level_agent", {"policy": "wishful"}, "histogram"),
    ],
)
def test_a_file_that_can_not_be_loaded_is_reported_and_the_node_stays(
    bare_graph: Graph, node: str, values: dict[str, object], words: str
) -> None:
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

    from dasha_ros.ros.transport import qos

    diagnostics = bare_graph.probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
    bare_graph.start(node, **{node: values})
    bare_graph.probe.until(
        lambda: any(
            s.level == DiagnosticStatus.ERROR and words in s.message for a in diagnostics for s in a.status
        ),
        f"an error with {words!r}; output: {bare_graph.processes[node].output}",
    )
    assert bare_graph.probe.lifecycle_state(node) == "unconfigured"
    assert bare_graph.processes[node].stop() == 0


CONDITIONAL = {
    "subscribe /clock": "with use_sim_time",
    "publish /clock": "with another speed than 1",
}
"""What the policy allows and no node of this graph does."""


def done_by(graph: Graph, name: str) -> dict[str, set[str]]:
    """What a node publishes, hears, serves and calls, as the graph shows it."""
    from rclpy import action
    from rclpy.node import NodeNameNonExistentError

    node = graph.probe.node

    def names(ask: Callable[[str, str], list[tuple[str, list[str]]]]) -> set[str]:
        try:
            return {full for full, _ in ask(name, "/dasha") if "/_action/" not in full}
        except NodeNameNonExistentError:  # Its name travels on a topic of its own and may come later.
            return set()

    return {
        "publish": names(node.get_publisher_names_and_types_by_node),
        "subscribe": names(node.get_subscriber_names_and_types_by_node),
        "reply": names(node.get_service_names_and_types_by_node),
        "request": names(node.get_client_names_and_types_by_node),
        "execute": names(partial(action.get_action_server_names_and_types_by_node, node)),
        "call": names(partial(action.get_action_client_names_and_types_by_node, node)),
    }


def test_the_security_policy_allows_what_nodes_do_and_no_more(graph: Graph, tmp_path: Path) -> None:
    """Adds the two nodes that the shared graph lacks, and activates neither; the last test of this file."""
    from lifecycle_msgs.msg import Transition

    graph.start(
        "device_emulator",
        "trainer",
        device_emulator={
            "autostart": "false",
            "lens_link": tmp_path / "lens",
            "camera_socket": tmp_path / "camera.socket",
        },
        trainer={"autostart": "false"},
    )
    for name in ("device_emulator", "trainer"):
        assert change_state(graph.probe, name, Transition.TRANSITION_CONFIGURE)
    for name, rules in policy(share_dir() / "config" / "security" / "policy.xml").items():
        node = name.rpartition("/")[2]
        if node not in CONFIGS:
            continue  # the enclaves of programs
        graph.probe.until(
            lambda node=node, rules=rules: not unused(rules, done_by(graph, node)) - CONDITIONAL.keys(),
            f"{node} to use what it may",
        )
        assert not forbidden(rules, done_by(graph, node)), f"add it to config/security/policy.xml ({node})"
