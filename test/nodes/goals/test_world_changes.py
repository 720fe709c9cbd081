"""A goal is about the world as it is after the goal was accepted, whatever was seen before and clocks say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graph import Graph

pytestmark = [pytest.mark.graph, pytest.mark.slow]

MOST_STEPS = 6
"""Enough steps to find an object that did not move, and few enough to give up soon."""


def _change(graph: Graph, **world: Any) -> None:
    """Set the twin's world. Returns as soon as twin_world has accepted it."""
    from rcl_interfaces.srv import SetParametersAtomically
    from rclpy.parameter import Parameter

    values = [Parameter(name, value=value).to_parameter_msg() for name, value in world.items()]
    request = SetParametersAtomically.Request(parameters=values)
    answer = graph.probe.call(SetParametersAtomically, "twin_world/set_parameters_atomically", request)
    assert answer.result.successful, answer.result.reason


def test_an_object_that_is_gone_is_not_found_again(bare_graph: Graph) -> None:
    graph = bare_graph
    graph.start()
    graph.until_active()
    client = graph.client()
    there = {"scene": "motorcycle_street", "illuminance_lx": 300.0}
    for keep_exposure, gone in (
        (False, {"scene": "cat"}),
        (True, {"scene": "cat"}),
        (True, {"illuminance_lx": 0.01}),
        (False, {"scene": "cat", "illuminance_lx": 100.0}),
    ):
        _change(graph, **there)
        found = client.run("motorcycle")
        assert found.error_code == 0, found.error_msg
        _change(graph, **gone)
        result = client.run("motorcycle", keep_exposure=keep_exposure, max_steps=MOST_STEPS)
        assert result.error_code != 0, (
            f"{gone}: found at {result.lens_position} V, which shows the world before"
        )


def test_a_goal_succeeds_while_the_wall_clock_is_set_back_and_forth(
    bare_graph: Graph, tmp_path: Path
) -> None:
    from dasha_ros import msg
    from dasha_ros.emulators.wall_clock import WallClock, WallClockError
    from dasha_ros.ros.transport import qos

    try:
        clock = WallClock(tmp_path)
    except WallClockError as error:
        pytest.skip(str(error))
    graph = bare_graph
    graph.spawner.env.update(clock.environment)
    graph.start(low_level_agent={"policy": "coarse_to_fine"})
    graph.until_active()
    captures = graph.probe.subscribe(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
    client = graph.client()
    for step_s in (-30.0, 30.0, 30.0, -30.0):
        goal = client.send("motorcycle")
        goal.until_step(phase=2, step=2)
        before = captures[-1].header.stamp.sec
        clock.step(step_s)
        result = goal.result()
        assert result.error_code == 0, f"the clock was set by {step_s} s: {result.error_msg}"
        # The driver's clock was really set, not only the test's.
        graph.probe.until(
            lambda before=before: abs(captures[-1].header.stamp.sec - before) > 10,
            "a jump of the stamps",
        )
    # Nothing is left that would refuse the next goal.
    goal = client.send("giraffe")
    goal.until_step(phase=2, step=2)
    clock.step(-30.0)
    assert goal.result().error_code == 202
    assert client.run("motorcycle").error_code == 0
