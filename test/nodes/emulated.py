"""The emulated devices for tests: real pypylon and real pyserial, with everything that can go wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graph import NODES, FocusClient, Graph, empty_graph

from dasha_ros.emulators.lens.line import ANSWERS_WITHIN_S

PROGRAMS = Path(__file__).parent / "programs"
SIZE = {"width": 640, "height": 340}
PATIENT_LINE = {"reply_timeout_ms": 1e3 * ANSWERS_WITHIN_S}
"""The driver gives up after about eight of them, which must be sooner than the late replies of
`test_emulated_rig`."""
OK, WARN, ERROR = b"\0", b"\1", b"\2"
LENS_SERIAL = "0001"
"""Serial number of the USB bridge that the lens driver shall use; see ``bench_lens_driver``."""
DRIVERS = {name: PROGRAMS / f"bench_{name}.py" for name in ("camera_driver", "lens_driver")}
WELL = {
    "plugged": True,
    "announces_removal": True,
    "serial_number": "",
    "held": False,
    "swallowed_triggers": 0,
    "damages_frames": False,
    "stream_dies": False,
    "lens_serial_number": LENS_SERIAL,
}
"""Orders for a bench without faults."""
IMPATIENT = {"inference_budget_s": 5.0, "retries": 1}
SEARCHING = {
    "perception": {"encoder": "efficientnet_lite0"},
    "high_level_agent": {"policy": "histogram", **IMPATIENT},
    "low_level_agent": {"policy": "coarse_to_fine", **IMPATIENT},
}
"""Policies that search the whole range, so that an impossible goal lasts until something goes wrong."""


def emulated(folder: Path) -> dict[str, dict[str, Any]]:
    """Parameters of the emulated devices."""
    lens, camera = str(folder / "lens"), str(folder / "camera.socket")
    return {
        "device_emulator": {"lens_link": lens, "camera_socket": camera, **SIZE},
        "camera_driver": {"backend": "pylon", "serial": "0815-0000", "emulator": camera, **SIZE},
        "lens_driver": {"backend": "varioptic", "port": lens, **PATIENT_LINE},
    }


class Rig:
    """The graph with emulated devices, and ways to break them."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.graph, self.probe, self.port = graph, graph.probe, folder / "lens"
        self._orders = folder / "orders.json"
        self._bench: dict[str, Any] = {}
        self._turned: set[str] = set()
        self.bench(**WELL)
        graph.spawner.env["DASHA_TEST_BENCH"] = str(self._orders)
        graph.spawner.env["DASHA_TEST_PORT"] = str(self.port)
        self.parameters = emulated(folder)
        self.parameters["lens_driver"]["serial"] = f"'{LENS_SERIAL}'"
        self.parameters |= SEARCHING
        # With room for all nodes while this process rests: some states pass within a second.
        self.diagnostics = self.probe.subscribe(DiagnosticArray, "/diagnostics", qos.REWARD)
        self._since: dict[str, int] = {}
        """How many statuses each node had sent when it was started."""
        self.lens = self.probe.subscribe(msg.LensState, "lens/state", qos.STATE)
        self.captures = self.probe.subscribe(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.start(*NODES, "device_emulator")
        graph.until_active()
        self.client: FocusClient = graph.client()
        # The drivers may look for their devices before the emulator has plugged them in.
        self.until_well()

    def start(self, *nodes: str) -> None:
        """Start nodes; the drivers use the bench."""
        self._since |= {node: len(self.statuses(node)) for node in nodes}
        self.graph.start(*nodes, scripts=DRIVERS, **self.parameters)

    def pull(self, **knobs: Any) -> None:
        """Set parameters of the emulator."""
        self._turned |= knobs.keys()
        for name, value in knobs.items():
            assert self.probe.set_parameter("device_emulator", name, value).successful

    def bench(self, **orders: Any) -> None:
        """Give orders to the drivers' bench; see ``bench_camera_driver``."""
        self._bench |= orders
        fresh = self._orders.with_suffix(".new")
        fresh.write_text(json.dumps(self._bench))
        os.replace(fresh, self._orders)

    def mend(self) -> None:
        """Repair everything, even after a test that failed half-way."""
        from dasha_ros.config import DeviceEmulatorConfig

        usual = DeviceEmulatorConfig().model_dump()
        self.pull(**{name: usual[name] for name in self._turned - {"brown_outs"}})
        self._turned.clear()
        self.bench(**WELL)
        self.until_well()

    def statuses(self, node: str) -> list[Any]:
        """All received statuses of a node, oldest first."""
        return [s for a in self.diagnostics for s in a.status if s.name == f"dasha/{node}"]

    def until_level(self, node: str, level: bytes, what: str, words: str = "") -> str:
        """Wait until a node's diagnostics have a level and contain words; return the sentence."""
        return self._until_said(
            node, level, what, words, lambda: self.statuses(node)[self._since[node] :][-1:]
        )

    def until_passing(self, node: str, level: bytes, since: int, what: str, words: str = "") -> str:
        """The same for a state that may be over when it is heard: since so many statuses."""
        return self._until_said(node, level, what, words, lambda: self.statuses(node)[since:])

    def _until_said(
        self, node: str, level: bytes, what: str, words: str, heard: Callable[[], list[Any]]
    ) -> str:
        def found() -> Any:
            return next((s for s in heard() if s.level == level and words in s.message), None)

        try:
            return str(self.probe.until(found, what).message)
        except AssertionError as error:
            said = [(s.level, s.message) for s in self.statuses(node)[-3:]]
            raise AssertionError(f"{error}; {node} said {said}") from None

    def until_well(self) -> None:
        """Wait until both devices work."""
        for node in ("camera_driver", "lens_driver"):
            self.until_level(node, OK, f"{node} to have its device")
        self.probe.until(lambda: self.lens and not self.lens[-1].faults, "a lens without faults")
        # The first picture after a loss may take longer than the impatient agents wait.
        seen = len(self.captures)
        self.probe.until(lambda: len(self.captures) > seen, "a picture")

    def send_and_focus(self) -> Any:
        """Send an impossible goal, and wait until the lens moves for it."""
        goal = self.client.send("giraffe")
        assert goal.accepted, self.client.states[-1].message
        goal.until_step(phase=2, step=3)
        return goal

    def finds(self) -> None:
        """A goal succeeds."""
        result = self.client.run("motorcycle")
        assert result.error_code == 0, result.error_msg
        assert abs(result.lens_position - 44.0) < 0.73


@contextmanager
def emulated_rig(reports: Path, folder: Path) -> Iterator[Rig]:
    """The whole graph with emulated devices, without faults."""
    with empty_graph(reports) as graph:
        yield Rig(graph, folder)
