"""A goal in dioptres: the whole graph, real pyserial, and an emulated Optotune driver."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from emulated import ERROR, OK, SEARCHING, SIZE, emulated
from graph import NODES, Graph

from dasha_ros.bringup.rigs import RIGS

pytestmark = [pytest.mark.graph, pytest.mark.slow]


def test_a_goal_is_reached_in_dioptres_and_a_pulled_cable_comes_back(
    bare_graph: Graph, tmp_path: Path
) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    parameters = {**emulated(tmp_path), **SEARCHING}
    for key, value in RIGS["emulated-optotune"].parameters.items():
        node, _, name = key.partition(".")
        if not (isinstance(value, str) and "{runtime}" in value):
            parameters[node] = {**parameters.get(node, {}), name: value}
    parameters["camera_driver"] |= SIZE
    probe = bare_graph.probe
    states = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
    diagnostics = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def lens_driver_is(level: bytes) -> bool:
        said = [s for a in diagnostics for s in a.status if s.name == "dasha/lens_driver"]
        return bool(said) and said[-1].level == level

    bare_graph.start(*NODES, "device_emulator", **parameters)
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 0, result.error_msg
    assert result.lens_unit == "D"
    assert result.focus_distance_m == pytest.approx(1.0 / result.lens_position, rel=0.01)
    # The result may overtake the state of the last move.
    probe.until(lambda: states[-1].commanded_position == result.lens_position, "the last move's state")
    held = states[-1].commanded_position
    for plugged, level in ((False, ERROR), (True, OK)):
        assert probe.set_parameter("device_emulator", "lens_plugged", plugged).successful
        probe.until(lambda level=level: lens_driver_is(level), f"level {level!r} of the lens driver")
    probe.until(lambda: not states[-1].faults, "a lens without faults")
    assert states[-1].commanded_position == held
    assert states[-1].position == pytest.approx(held, abs=0.0026)
