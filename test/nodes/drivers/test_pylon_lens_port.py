"""The lens driver reaches the camera's lens port through the camera driver's process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from emulated import emulated
from graph import Graph

pytestmark = [pytest.mark.graph, pytest.mark.slow]


def test_the_lens_driver_hears_what_the_camera_says_of_its_lens(bare_graph: Graph, tmp_path: Path) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.transport import qos

    socket = str(tmp_path / "port.socket")
    parameters: dict[str, Any] = emulated(tmp_path)
    parameters["camera_driver"]["lens_socket"] = socket
    parameters["lens_driver"] = {"backend": "pylon", "camera_socket": socket}
    probe = bare_graph.probe
    diagnostics = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def lens_driver_says(words: str) -> bool:
        said = [s.message for a in diagnostics for s in a.status if s.name == "dasha/lens_driver"]
        return bool(said) and words in said[-1]

    bare_graph.start("lens_driver", **parameters)
    probe.until(
        lambda: lens_driver_says("no camera driver serves"), "the lens driver to miss the camera driver"
    )
    bare_graph.start("twin_world", "device_emulator", "camera_driver", **parameters)
    # pylon's emulated camera has no lens: it was asked, in the other process.
    probe.until(lambda: lens_driver_says("this camera has no lens port"), "the camera's answer")
