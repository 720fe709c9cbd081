"""When a node dies during a goal, the goal fails with its own code, and the next goal works."""

from __future__ import annotations

import pytest
from graph import Graph

pytestmark = [pytest.mark.graph, pytest.mark.slow]


@pytest.mark.parametrize(
    ("victim", "name", "words"),
    [
        ("high_level_agent", "EXPOSURE_AGENT_LOST", "high_level_agent"),
        ("low_level_agent", "FOCUS_AGENT_LOST", "low_level_agent"),
        ("camera_driver", "CAMERA_LOST", "camera_driver"),
        ("lens_driver", "LENS_LOST", "lens_driver"),
        ("perception", "PERCEPTION_LOST", "perception"),
    ],
)
def test_a_killed_node(graph: Graph, victim: str, name: str, words: str) -> None:
    from dasha_ros.action import FocusOnObject
    from dasha_ros.msg import LensState

    from dasha_ros.ros.transport import qos

    client = graph.client()
    lens = graph.probe.subscribe(LensState, "lens/state", qos.STATE)
    graph.probe.until(lambda: lens, "the lens's state")
    before = lens[-1].commanded_position
    goal = client.send("giraffe")
    goal.until_step(phase=1 if victim == "high_level_agent" else 2)
    graph.kill(victim)
    try:
        result = goal.result()
        if victim != "high_level_agent":  # A^H may have been done in that very moment
            assert result.error_code == getattr(FocusOnObject.Result, name), result.error_msg
            assert words in result.error_msg
        else:
            result = client.run("giraffe")
            assert result.error_code == FocusOnObject.Result.EXPOSURE_AGENT_LOST, result.error_msg
        if victim != "lens_driver":
            graph.probe.until(lambda: lens[-1].commanded_position == before, f"the lens back at {before} V")
    finally:
        graph.start(victim)
        graph.until_active(victim)
    found = client.run("motorcycle")
    assert found.error_code == 0, found.error_msg


def test_a_camera_driver_that_is_back_before_its_absence_is_noticed(graph: Graph) -> None:
    """It starts with its default exposure, not A^H's: the goal ends, and the exposure is restored."""
    from dasha_ros.action import FocusOnObject
    from dasha_ros.msg import CaptureInfo

    from dasha_ros.ros.transport import qos

    client = graph.client()
    states = graph.probe.subscribe(CaptureInfo, "camera/state", qos.STATE)
    graph.probe.until(lambda: states, "the camera's state")
    before = states[-1].exposure_us
    goal = client.send("giraffe")
    goal.until_step(phase=2)
    graph.kill("camera_driver")
    graph.start("camera_driver", camera_driver={"initial_exposure_us": 777.0})
    result = goal.result()
    assert result.error_code == FocusOnObject.Result.CAMERA_LOST, result.error_msg
    graph.probe.until(lambda: states[-1].exposure_us == before, f"the exposure back at {before} us")
    assert result.exposure_us == before
