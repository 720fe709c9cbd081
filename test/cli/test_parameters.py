"""``dasha get`` and ``dasha set``, against a node of the test's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import typer

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult

from dasha_ros.cli.graph.node_parameters import fail_unanswered, parsed
from dasha_ros.config.hints import near


def _refuse_darkness(parameters):
    dark = any(p.name == "light" and p.value < -0.5 for p in parameters)
    return SetParametersResult(successful=not dark, reason="light = -1 is below 0" if dark else "")


@pytest.fixture
def node(probe):
    """Name of a node with parameters of several kinds, in the test process."""
    probe.node.declare_parameter("light", 1.5, ParameterDescriptor(dynamic_typing=True))
    probe.node.declare_parameter("scene", "street")
    probe.node.declare_parameter("speed", 1.0, ParameterDescriptor(read_only=True))
    probe.node.declare_parameter("distances", [1.0, 2.0])
    probe.node.declare_parameter("width", 64)
    gain = ParameterDescriptor(floating_point_range=[FloatingPointRange(from_value=0.0, to_value=36.0)])
    probe.node.declare_parameter("gain", 0.0, gain)
    height = ParameterDescriptor(integer_range=[IntegerRange(from_value=64, to_value=8192)])
    probe.node.declare_parameter("height", 64, height)
    probe.node.add_on_set_parameters_callback(_refuse_darkness)
    return probe.node.get_name()


@pytest.fixture
def dasha(probe, spawn):
    """Runs a command to its end while the node answers."""

    def run(*arguments):
        child = spawn.dasha(*arguments)
        probe.until(lambda: child.returncode is not None, f"the end of {arguments}")
        child.wait()
        return child

    return run


@pytest.mark.graph
@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("light", "20", 20.0),
        ("light", "-.5e-3", -0.0005),
        ("scene", "7", "7"),
        ("distances", "[3, 4.5]", [3.0, 4.5]),
    ],
)
def test_set_changes_a_parameter(probe, node, dasha, parameter, text, value):
    child = dasha("set", node, parameter, text)
    assert child.returncode == 0, child.output
    got = probe.node.get_parameter(parameter).value
    assert (list(got) if isinstance(value, list) else got) == value
    assert f"{node}: {parameter} = " in child.output


@pytest.mark.graph
def test_refusal_prints_the_reason_and_exits_with_1(probe, node, dasha):
    child = dasha("set", node, "light", "-1")
    assert child.returncode == 1
    assert "error: light = -1 is below 0" in child.output
    assert probe.node.get_parameter("light").value == 1.5


@pytest.mark.graph
@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        ("width", "true", "width = true is not a whole number"),
        ("width", "64.5", "width = 64.5 is not a whole number"),
        ("distances", "[near]", "distances = [near] is not a list of numbers"),
        ("gain", "1000", "gain = 1000 is not in 0.0..36.0"),
        ("gain", "nan", "gain = nan is not in 0.0..36.0"),
        ("height", "0", "height = 0 is not in 64..8192"),
    ],
)
def test_what_rclpy_refuses_is_told_with_its_name_and_value(node, dasha, parameter, text, words):
    child = dasha("set", node, parameter, text)
    assert child.returncode == 1
    assert f"error: {node}: {words}" in " ".join(child.output.split())


@pytest.mark.graph
def test_a_parameter_of_the_start_is_refused_with_what_to_do(probe, node, dasha):
    child = dasha("set", node, "speed", "2")
    assert child.returncode == 1
    said = " ".join(child.output.split())
    assert f"error: speed of {node} stays as it was at the start" in said
    assert f"`dasha up --set {node}.speed=2`" in said
    assert probe.node.get_parameter("speed").value == 1.0


@pytest.mark.graph
def test_get_prints_one_or_all(node, dasha):
    assert dasha("get", node, "light").output == "1.5"
    child = dasha("get", node)
    assert child.returncode == 0
    assert {'scene: "street"', "light: 1.5", "distances: [1.0, 2.0]"} <= set(child.lines)


@pytest.mark.graph
def test_unknown_parameter_and_unknown_node_get_a_hint(node, dasha):
    child = dasha("set", node, "lihgt", "2")
    assert child.returncode == 2
    assert f"{node} has no parameter 'lihgt'; did you mean light?" in child.output
    child = dasha("set", "twin_wrld", "light", "2")
    assert child.returncode == 3
    assert "there is no node 'twin_wrld' in the namespace /dasha; did you mean twin_world?" in child.output
    child = dasha("get", "twin world")
    assert child.returncode == 2
    assert "'twin world' is not a valid node name" in child.output


@pytest.mark.graph
def test_node_that_does_not_answer_exits_with_3(dasha):
    child = dasha("set", "twin_world", "illuminance_lx", "20")
    assert child.returncode == 3
    assert "twin_world does not answer in the namespace /dasha: `dasha doctor`" in child.output


@pytest.mark.parametrize(
    ("text", "before", "value"),
    [
        ("20", 1.5, 20.0),
        ("1e5", 1.5, 1e5),
        ("dark", 1.5, "dark"),
        ("20", "street", "20"),
        ("0123", "street", "0123"),
        ("yes", False, True),
        ("-5", 1, -5),
        ("~", 3, "~"),
        ("true", False, True),
        ("[1, 2.5]", [1.0], [1.0, 2.5]),
        ("[1, 2]", [1], [1, 2]),
    ],
)
def test_a_value_takes_the_type_of_the_parameter(text, before, value):
    assert parsed(text, before) == value
    assert type(parsed(text, before)) is type(value)


@pytest.mark.parametrize(
    ("running", "hint"),
    [
        (["camera_driver", "dasha_cli_17"], "known: camera_driver"),
        (["dasha_cli_17"], "none is there: `dasha up` starts a graph"),
    ],
)
def test_a_hint_names_nodes_that_run_and_no_command(capsys, running, hint):
    client = SimpleNamespace(namespace="/dasha", node_names=lambda: [f"/dasha/{name}" for name in running])
    with pytest.raises(typer.Exit):
        fail_unanswered(client, "xyz")
    assert capsys.readouterr().err.strip().endswith(f"in the namespace /dasha; {hint}")


@pytest.mark.parametrize("text", ["{a: 1}", "[1"])
def test_invalid_values_are_refused(text):
    with pytest.raises(ValueError, match=r"is not a value|is not YAML"):
        parsed(text, 3)


def test_a_hint_names_all_nodes_if_none_is_similar():
    assert near("xyz", {"gain_db", "height"}) == "known: gain_db, height"
