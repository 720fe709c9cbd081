"""The whole graph on a GigE Vision camera of Aravis, whose sensor sees the twin through an Optotune lens."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import PATIENT_LINE
from fake_genicam import only_genicam
from graph import NODES, Graph

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from dasha_ros.msg import CaptureInfo, LensState
from diagnostic_msgs.msg import DiagnosticArray

from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.ros.transport import qos
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

pytestmark = [pytest.mark.graph, pytest.mark.slow]

PROGRAM = Path(__file__).resolve().parents[1] / "programs" / "painted_genicam.py"
SERIAL, LABEL = "GV02", "motorcycle"
OK, ERROR = b"\0", b"\2"


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """The port is this test's until its camera has ended, with the graph; so this comes before the graph."""
    with only_genicam():
        yield


def test_a_goal_is_reached_over_gigabit_ethernet_and_a_pulled_cable_comes_back(
    bare_graph: Graph, tmp_path: Path
) -> None:
    probe, port = bare_graph.probe, tmp_path / "lens"
    captures = probe.subscribe(CaptureInfo, "camera/capture", qos.CAPTURE)
    states = probe.subscribe(LensState, "lens/state", qos.STATE)
    diagnostics = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def until_camera_driver(level: bytes) -> None:
        def has_it() -> bool:
            said = [s for a in diagnostics for s in a.status if s.name == "dasha/camera_driver"]
            return bool(said) and said[-1].level == level

        probe.until(has_it, f"level {level!r} of the camera driver")

    def plugged_camera():
        camera = bare_graph.spawner(sys.executable, str(PROGRAM), SERIAL, str(port))
        camera.wait_for_output("the painted camera runs")
        return camera

    with LensEmulator(port, LensEmulatorSettings(device="optotune")):
        camera = plugged_camera()
        parameters = {
            "camera_driver": {"backend": "aravis", "serial": SERIAL, "packet_size": 9000},
            "lens_driver": {"backend": "optotune", "port": port, **PATIENT_LINE},
        }
        bare_graph.start(*(name for name in NODES if name != "twin_world"), **parameters)
        bare_graph.until_active()
        probe.until(lambda: captures, "the first picture")
        result = bare_graph.client().run(LABEL, timeout_s=180.0)
        assert result.error_code == 0, result.error_msg
        assert result.lens_unit == "D"
        (distance,) = load_scene(World().scene).object_distances(LABEL)
        assert 1.0 / result.focus_distance_m == pytest.approx(1.0 / distance, abs=0.25)
        (report,) = bare_graph.report_dir.iterdir()
        steps = json.loads((report / "report.json").read_text())["steps"]
        assert len(steps) > 1

        # The result may overtake the states of the last commands.
        probe.until(
            lambda: (
                states[-1].commanded_position == result.lens_position
                and captures[-1].exposure_us == result.exposure_us
            ),
            "the last settings",
        )
        held, exposure_us = states[-1].commanded_position, captures[-1].exposure_us
        camera.kill()
        until_camera_driver(ERROR)
        plugged_camera()
        until_camera_driver(OK)
        seen = len(captures)
        probe.until(lambda: len(captures) > seen, "a picture of the camera that is back")
        assert captures[-1].exposure_us == exposure_us
        assert states[-1].commanded_position == held
