"""What is printed about a running graph, and which nodes belong to it."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rich.console import Console

from dasha_ros.bringup.graph import describe
from dasha_ros.bringup.rigs import RIGS
from dasha_ros.bringup.session import LogPrinter, programs
from dasha_ros.cli.graph.reachable import Reached, expected

TWIN = {"twin/world", "twin/lens", "camera/image_raw"}


def test_a_graph_stays_on_this_machine_unless_the_user_opens_it(monkeypatch):
    monkeypatch.delenv("RMW_IMPLEMENTATION", raising=False)
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    for program in programs(describe()):
        assert program.environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
        assert program.environment["RMW_IMPLEMENTATION"] == "rmw_fastrtps_cpp"
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    assert not any("ROS_AUTOMATIC_DISCOVERY_RANGE" in p.environment for p in programs(describe()))


def test_a_nodes_name_is_not_repeated():
    text = io.StringIO()
    show = LogPrinter(Console(file=text, width=120), ("perception",))
    show("perception", "[ERROR] [1.5] [dasha.perception]: perception could not configure: no model")
    assert text.getvalue() == "perception could not configure: no model\n"


@pytest.mark.parametrize("rig", list(RIGS))
def test_a_node_that_is_not_visible_is_still_expected(rig):
    nodes = set(RIGS[rig].nodes)
    topics = TWIN if "twin_world" in nodes else {"camera/image_raw"}
    assert expected(nodes, topics) == sorted(nodes)
    for hidden in nodes - {"device_emulator"}:  # nothing but itself tells that it should be there
        assert expected(nodes - {hidden}, topics) == sorted(nodes)


def test_a_trainer_belongs_to_the_graph_that_has_one():
    nodes = {*RIGS["twin"].nodes, "trainer"}
    assert expected(nodes - {"perception"}, TWIN) == sorted(nodes)


def test_no_node_is_expected_where_none_runs():
    assert expected({"talker"}, TWIN) == []


def test_silent_nodes_are_marked_with_advice():
    states = {"/dasha/perception": "active", "/dasha/lens_driver": "unreachable", "/dasha/x": "inactive"}
    reached = Reached("/dasha", states, (), {})
    assert reached.silent == ("/dasha/lens_driver",)
    lines = reached.lines()
    assert lines[0].split() == ["✓", "/dasha/perception", "active"]
    assert lines[1].startswith("✗ /dasha/lens_driver")
    assert "start it again" in lines[2]
    assert lines[3].split() == ["·", "/dasha/x", "inactive"]
