"""A lamp in the twin's world: previews show it, and goals end with exposures of whole flickers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph import Graph
from ros_harness import command

pytestmark = [pytest.mark.graph]

LAMP_HZ = 100.0
FRACTION_US = 14_000.0
"""1.4 flickers: a picture shows a fifth of the lamp's depth."""
ENOUGH = 24
"""Previews, the most that perception compares."""


class Looker:
    """What a graph shows of its light."""

    def __init__(self, graph: Graph) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from sensor_msgs.msg import Image

        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.graph, self.msg = graph, msg
        probe = graph.probe
        self.captures = probe.subscribe(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.images = probe.subscribe(Image, "camera/image_raw", qos.IMAGE)
        # A queue of one might lose a command to the next.
        self.commands = probe.subscribe(msg.ExposureCommand, "camera/exposure_command", qos.REWARD)
        self.diagnostics = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self.command = probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND, matched=2)

    def expose(self, exposure_us: float) -> None:
        """Command an exposure and wait for its first picture."""
        self.command.publish(command(self.msg.ExposureCommand, exposure_us=exposure_us))
        self.graph.probe.until(
            lambda: self.captures and self.captures[-1].exposure_us == exposure_us, f"{exposure_us} us"
        )

    def new_pictures(self, number: int) -> list[np.ndarray]:
        """The next pictures."""
        del self.images[:]
        self.graph.probe.until(lambda: len(self.images) >= number, f"{number} previews")
        return [np.frombuffer(i.data, np.uint8).reshape(i.height, i.step)[:, : i.width] for i in self.images]

    def told(self) -> dict[str, str]:
        """The newest diagnostics of perception that came after this call."""
        del self.diagnostics[:]

        def said() -> Any:
            return [s for a in self.diagnostics for s in a.status if s.name == "dasha/perception"]

        self.graph.probe.until(said, "perception's diagnostics")
        return {value.key: value.value for value in said()[-1].values}

    def until_told(self, hz: float | None) -> None:
        """Wait until perception's diagnostics name a frequency of the light, or none."""
        for _ in range(5 * ENOUGH):
            self.new_pictures(1)
            said = self.told().get("flicker_hz")
            if (said if said is None else float(said)) == hz:
                return
        raise AssertionError(f"perception said {said} Hz, not {hz}")

    def swing(self, box: Any, number: int = 12) -> float:
        """How much the brightness of a part of the picture changes from frame to frame, as a share."""
        seen = [
            picture[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)].mean()
            for picture in self.new_pictures(number)
        ]
        return float(np.std(seen) / np.mean(seen))


def test_a_lamp_is_seen_in_the_previews_and_goals_end_with_whole_flickers(bare_graph: Graph) -> None:
    graph = bare_graph
    graph.start(camera_driver={"preview_rate_hz": 8.0}, twin_world={"illuminance_lx": 60.0})
    graph.until_active()
    looker, client = Looker(graph), graph.client()
    looker.expose(FRACTION_US)
    looker.new_pictures(ENOUGH)
    assert "flicker_hz" not in looker.told(), "this is daylight"

    assert graph.probe.set_parameter("twin_world", "lamp_hz", LAMP_HZ).successful
    looker.until_told(LAMP_HZ)
    del looker.commands[:]
    result = client.run("motorcycle")
    assert (result.error_code, result.error_msg) == (0, "")
    first, *others = [c.exposure_us for c in looker.commands]
    assert first == FRACTION_US, "A^H looks once at what is in force"
    flickers = np.array([*others, result.exposure_us]) * 1e-6 * LAMP_HZ
    assert flickers.min() > 0.999
    np.testing.assert_allclose(flickers, np.round(flickers), atol=0.001)
    report = Path(result.report)
    steps = json.loads((report / "report.json").read_text())["steps"]
    assert {step["percept"]["flicker_hz"] for step in steps} == {LAMP_HZ}
    assert "the light flickers at 100 Hz; the exposure takes" in (report / "index.html").read_text()

    whole = looker.swing(result.detection)
    looker.expose(FRACTION_US)
    assert whole < 0.2 * looker.swing(result.detection)

    assert graph.probe.set_parameter("twin_world", "lamp_hz", 0.0).successful
    looker.until_told(None)
