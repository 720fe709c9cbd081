"""The whole job through real pypylon and real pyserial, and what happens when cables are pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graph import NODES, FocusClient, Graph, empty_graph

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

pytestmark = [pytest.mark.graph, pytest.mark.slow]

HERE = Path(__file__).parent
SIZE = {"width": 640, "height": 340}
OK, ERROR = b"\0", b"\2"


def emulated(folder: Path) -> dict[str, dict[str, Any]]:
    """Parameters of the emulated rig."""
    lens, camera = str(folder / "lens"), str(folder / "camera.socket")
    return {
        "device_emulator": {"lens_link": lens, "camera_socket": camera, **SIZE},
        "camera_driver": {"backend": "pylon", "serial": "0815-0000", "emulator": camera, **SIZE},
        "lens_driver": {"backend": "varioptic", "port": lens},
    }


class Rig:
    """The emulated graph with its levers."""

    def __init__(self, graph: Graph, port: Path) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        from dasha_ros import msg
        from dasha_ros.ros import qos

        self.graph, self.probe, self.port = graph, graph.probe, port
        self.client: FocusClient = graph.client()
        self.diagnostics = self.probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self.lens = self.probe.subscribe(msg.LensState, "lens/state", qos.STATE)

    def pull(self, **knobs: Any) -> None:
        """Set parameters of the emulator."""
        for name, value in knobs.items():
            assert self.probe.set_parameter("device_emulator", name, value).successful

    def newest(self, node: str) -> Any:
        """Newest status of a node."""
        found = [s for a in self.diagnostics for s in a.status if s.name == f"dasha/{node}"]
        return found[-1] if found else None

    def until_level(self, node: str, level: bytes, what: str) -> str:
        """Wait until a node's diagnostics have a level, and return the sentence."""
        status = self.probe.until(
            lambda: (s := self.newest(node)) is not None and s.level == level and s, what, 30.0
        )
        return str(status.message)

    def finds(self) -> None:
        """A goal succeeds."""
        result = self.client.run("motorcycle")
        assert result.error_code == 0, result.error_msg
        assert abs(result.volts - 44.0) < 0.73


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with empty_graph(tmp_path_factory.mktemp("reports")) as graph:
        folder = tmp_path_factory.mktemp("rig")
        graph.start(*NODES, "device_emulator", **emulated(folder))
        graph.until_active()
        rig = Rig(graph, folder / "lens")
        # The drivers may look for their devices before the emulator has plugged them in.
        for node in ("camera_driver", "lens_driver"):
            rig.until_level(node, OK, f"{node} to find its device")
        rig.probe.until(lambda: rig.lens and not rig.lens[-1].faults, "a lens without faults")
        yield rig


def test_the_job_through_real_drivers(rig: Rig) -> None:
    rig.finds()
    assert rig.lens[-1].volts != rig.lens[-1].commanded_volts or rig.lens[-1].commanded_volts % 0.0445 == 0


def test_between_goals_nothing_moves_the_lens(rig: Rig) -> None:
    # Peers: a lens that cannot be locked, an autofocus that hunts for ever.
    from dasha_ros import msg
    from dasha_ros.ros import qos

    commands = rig.probe.subscribe(msg.LensCommand, "lens/command", qos.COMMAND)
    rig.finds()
    rig.probe.until(lambda: commands, "the goal's own commands")
    moved, held = len(commands), rig.lens[-1].command
    # Light and distances change under it: a continuous autofocus would go after them.
    for distances in ([1.0, 10.0], [0.8, 10.0]):
        assert rig.probe.set_parameter("twin_world", "distances_m", distances).successful
        rig.probe.spin(0.5)
    assert len(commands) == moved
    assert rig.lens[-1].command == held


def test_a_lens_pulled_for_a_moment_comes_back(rig: Rig) -> None:
    before = rig.lens[-1].commanded_volts
    rig.pull(lens_plugged=False)
    said = rig.until_level("lens_driver", ERROR, "the lens driver to notice")
    assert "trying again" in said
    rig.pull(lens_plugged=True)
    rig.until_level("lens_driver", OK, "the lens driver to recover")
    rig.probe.until(lambda: not rig.lens[-1].faults, "the fault to go")
    assert rig.lens[-1].commanded_volts == before
    rig.finds()


def test_a_lens_pulled_in_the_middle_of_a_goal(rig: Rig) -> None:
    from dasha_ros.action import FocusOnObject

    goal = rig.client.send("giraffe")
    goal.until_step(phase=2, step=3)
    rig.pull(lens_plugged=False)
    result = goal.result()
    assert result.error_code == FocusOnObject.Result.LENS_LOST, result.error_msg
    rig.pull(lens_plugged=True)
    rig.until_level("lens_driver", OK, "the lens driver to recover")
    rig.finds()


def test_a_supply_that_dips(rig: Rig) -> None:
    rig.pull(brown_outs=1)
    rig.until_level("lens_driver", ERROR, "the lens driver to notice")
    rig.until_level("lens_driver", OK, "the lens driver to recover")
    rig.finds()


def test_a_bad_line_costs_time_not_goals(rig: Rig) -> None:
    spoilt = ("drop_request", "corrupt_request", "drop_reply", "corrupt_reply", "half_reply", "nack", "noise")
    rig.pull(**dict.fromkeys(spoilt, 0.04))
    try:
        rig.finds()
    finally:
        rig.pull(**dict.fromkeys(spoilt, 0.0))


def test_a_camera_that_goes_away_in_the_middle_of_a_goal(rig: Rig) -> None:
    from dasha_ros.action import FocusOnObject

    goal = rig.client.send("giraffe")
    goal.until_step(phase=2, step=3)
    rig.graph.kill("device_emulator")
    result = goal.result()
    assert result.error_code in (FocusOnObject.Result.CAMERA_LOST, FocusOnObject.Result.LENS_LOST)
    said = rig.until_level("camera_driver", ERROR, "the camera driver to notice")
    assert "dasha emulate camera" in said
    # What kill -9 leaves behind points at a pseudo-terminal that soon belongs to somebody else.
    assert rig.port.is_symlink()
    assert "was left behind" in rig.until_level("lens_driver", ERROR, "the lens driver to notice")
    rig.graph.start("device_emulator", **emulated(rig.port.parent))
    for node in ("camera_driver", "lens_driver"):
        rig.until_level(node, OK, f"{node} to recover")
    rig.probe.until(lambda: not rig.lens[-1].faults, "the fault to go")
    rig.finds()


def test_a_port_that_another_process_holds(bare_graph: Graph, tmp_path: Path) -> None:
    import serial

    graph = bare_graph
    parameters = emulated(tmp_path)
    graph.start("twin_world", "device_emulator", **parameters)
    graph.until_active()
    with serial.Serial(str(tmp_path / "lens"), exclusive=True):
        graph.start("lens_driver", **parameters)
        told(graph, "lens_driver", ERROR, "another process")()
    told(graph, "lens_driver", OK, "lens at")()


def told(graph: Graph, node: str, level: bytes, words: str) -> Callable[[], None]:
    """Waits until a node's diagnostics have had a level and words."""
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros import qos

    arrays = graph.probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def heard() -> list[str]:
        own = [s for a in arrays for s in a.status if s.name == f"dasha/{node}"]
        return [s.message for s in own if s.level == level and words in s.message]

    return lambda: graph.probe.until(heard, f"{node} at level {level!r} with {words!r}", 30.0)


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ("lost", "CAMERA_LOST", "physically removed"),
        ("silent", "CAMERA_LOST", "no frame within"),
        ("incomplete", "NONE", "incompletely grabbed"),
    ],
)
def test_camera_faults(bare_graph: Graph, tmp_path: Path, fault: str, name: str, words: str) -> None:
    from dasha_ros.action import FocusOnObject

    file = tmp_path / "fault"
    file.write_text("")
    graph = bare_graph
    graph.spawner.env["DASHA_TEST_FAULT"] = str(file)
    graph.start(scripts={"camera_driver": HERE / "unlucky_camera_driver.py"})
    graph.until_active()
    client = graph.client()
    diagnosed = told(graph, "camera_driver", ERROR if fault == "lost" else b"\1", words)
    goal = client.send("giraffe" if name != "NONE" else "motorcycle")
    goal.until_step(phase=2, step=1)
    file.write_text(fault)
    result = goal.result()
    assert result.error_code == getattr(FocusOnObject.Result, name), result.error_msg
    diagnosed()
    file.write_text("")
    found = client.run("motorcycle")
    assert found.error_code == 0, found.error_msg
