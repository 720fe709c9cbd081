"""Strangers in the graph: their messages harm no later goal, and the diagnostics name them."""

from __future__ import annotations

import json
import math

import pytest
from graph import Graph

pytestmark = [pytest.mark.graph, pytest.mark.slow]


def statuses(graph: Graph) -> list[object]:
    """All statuses from now on."""
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.transport import qos

    return graph.probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)


def says(arrays: list[object], node: str, words: str) -> bool:
    return any(
        s.name == f"dasha/{node}" and words in s.message
        for a in list(arrays)
        for s in a.status  # type: ignore[attr-defined]
    )


def test_one_message_of_a_stranger_does_no_harm_and_is_reported(graph: Graph) -> None:
    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    probe, client = graph.probe, graph.client()
    assert client.run("motorcycle").error_code == 0
    told = statuses(graph)
    spoilers = (
        (msg.PerceptionInfo(encoder="e", detector="d", labels=["odd"]), "perception/info"),
        (msg.CameraLimits(), "camera/limits"),
        (msg.CameraLimits(width=1, height=1, exposure_min_us=1.0, exposure_max_us=2.0), "camera/limits"),
        (msg.TwinLens(target_dioptres=math.nan), "twin/lens"),
        (msg.LensState(position=math.nan, commanded_position=60.0), "lens/state"),
        (msg.LensState(position=60.0, commanded_position=60.0, faults=["on fire"]), "lens/state"),
        (msg.CaptureInfo(exposure_us=math.inf), "camera/state"),
        (msg.CaptureInfo(exposure_us=2.0), "camera/state"),
        (msg.TwinWorld(scene="nowhere", illuminance_lx=1.0, temperature_c=20.0), "twin/world"),
        (msg.FocusState(state=msg.FocusState.EXPOSING), "focus/state"),
    )
    for message, topic in spoilers:
        # The publisher stays, so its last message is latched for new subscribers.
        probe.publisher(type(message), topic, qos.STATE).publish(message)
    probe.until(
        lambda: says(told, "lens_driver", "nodes publish lens/state: /dasha/lens_driver and /dasha/probe"),
        "the stranger to be named by the owner of its topic",
    )
    probe.until(
        lambda: says(told, "focus_server", "messages on perception/info are rejected"),
        "what the stranger said to be counted",
    )
    result = client.run("motorcycle")
    assert result.error_code == 0, result.error_msg
    assert result.exposure_us > 2.0


def test_a_flood_of_hostile_messages_ends_no_process_and_no_later_goal(graph: Graph) -> None:
    flood = graph.spawner.python(
        "-m",
        "dasha_ros.ros.validation.flood",
        "--seconds",
        "3",
        "--rate",
        "2000",
        "--seed",
        "5",
        "--name",
        "flooder",
    )
    assert flood.wait() == 0, flood.output
    sent = json.loads(flood.lines[-1])
    assert all(sent.values()), sent
    assert {name: p.returncode for name, p in graph.processes.items() if p.returncode is not None} == {}
    client = graph.client()
    for _ in range(2):
        result = client.run("motorcycle")
        assert result.error_code == 0, result.error_msg
