"""The lens at a camera's port, on a node map that is not a camera's, here and through the camera driver."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import pytest
from optic_nodes import OpticNodes

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, OutOfRange
from dasha_ros.devices.pylon.lens import PylonLens, PylonLensSettings
from dasha_ros.devices.pylon.lens_port import CameraLensPort, LensPortServer, RemoteLensPort
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_table import load_table

MOTOR = (
    "unit: steps\nposition_min: 99\nposition_max: 9000\npoints:\n"
    "  - {position: 200, distance_m: 2.0}\n  - {position: 500, distance_m: 0.5}\n"
)


@pytest.fixture
def nodes() -> OpticNodes:
    return OpticNodes()


def lens_at(nodes: OpticNodes, **settings: float) -> PylonLens:
    return PylonLens(CameraLensPort(nodes), PylonLensSettings(**settings), ManualClock())


def test_opening_initialises_the_lens_and_leaves_it_there(nodes: OpticNodes) -> None:
    lens = lens_at(nodes)
    with pytest.raises(DeviceLost, match="known once it was opened"):
        lens.info  # noqa: B018 - reading it is the test
    assert lens.open().position == 0.5
    assert nodes.executed == ["OpticControllerInitialize"]
    assert nodes.commands == []
    assert (lens.info.unit, lens.info.position_min, lens.info.position_max) == ("D", -2.0, 3.0)
    assert lens.info.resolution == 0.125
    said = lens.describe()
    assert said["hardware_id"] == "lens EL-16-40 at the camera's port"
    assert said["temperature_c"] == 31.5


def test_a_move_ends_when_the_camera_says_that_the_lens_has_arrived(nodes: OpticNodes) -> None:
    lens = lens_at(nodes)
    lens.open()
    reading = lens.move(1.3)
    assert reading.position == nodes.position == 1.25  # what the lens has
    assert nodes.value("OpticControllerStatus") == "Ready"
    assert reading.settle_s == pytest.approx(0.05)


def test_a_motor_lens_takes_whole_steps() -> None:
    nodes = OpticNodes("FocusStepper")
    lens = lens_at(nodes)
    lens.open()
    assert lens.info.unit == "steps"
    assert lens.move(401.2).position == 400.0
    assert isinstance(nodes.commands[-1], int)


def test_a_lens_that_needs_its_focus_initialised_gets_that_too(nodes: OpticNodes) -> None:
    nodes.missing.discard("FocusStatus")
    nodes.missing.add("OpticControllerStatus")
    lens_at(nodes).open()
    assert nodes.executed == ["FocusInitialize"]


def test_a_camera_without_status_is_believed_at_once(nodes: OpticNodes) -> None:
    nodes.missing.add("OpticControllerStatus")
    lens = lens_at(nodes)
    lens.open()
    assert lens.move(1.0).position == 1.0
    assert nodes.executed == []


@pytest.mark.parametrize(
    ("missing", "status", "words"),
    [
        ({"OpticControllerSelector"}, "Ready", "has no lens port"),
        (set(), "NotConnected", "says NotConnected: check the lens and its cable"),
        ({"FocalPower"}, "Ready", "has no FocalPower or FocusStepper"),
    ],
)
def test_a_camera_without_a_usable_lens_says_so(
    nodes: OpticNodes, missing: set[str], status: str, words: str
) -> None:
    nodes.missing |= missing
    nodes.status = status
    with pytest.raises(DeviceLost, match=words):
        lens_at(nodes).open()


def test_a_lens_that_never_arrives_is_a_timeout(nodes: OpticNodes) -> None:
    lens = lens_at(nodes, travel_timeout_s=0.5)
    lens.open()
    nodes.never_arrives = True
    with pytest.raises(DeviceTimeout, match=r"did not arrive at 2 D in 0\.5 s"):
        lens.move(2.0)
    with pytest.raises(DeviceLost, match=r"was not ready in 0\.5 s"):
        lens.open()


def test_a_lens_that_lost_its_place_is_noticed_and_brought_back(nodes: OpticNodes) -> None:
    lens = lens_at(nodes)
    lens.open()
    lens.move(2.0)
    nodes.position = 0.0
    with pytest.raises(DeviceLost, match="is at 0 D, not at 2 D"):
        lens.read()
    assert lens.open().position == nodes.position == 2.0
    nodes.status = "Error"
    assert lens.read().faults == ("the lens reports Error",)


def test_a_refusal_moves_nothing_and_says_why(nodes: OpticNodes) -> None:
    lens = lens_at(nodes)
    lens.open()
    nodes.writable = False
    with pytest.raises(DeviceError, match="takes no position now"):
        lens.move(2.0)
    with pytest.raises(OutOfRange):
        lens.move(3.5)
    assert nodes.commands == []


def test_profiles_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "motor.yaml"
    path.write_text(MOTOR)
    motor = PylonLens(CameraLensPort(OpticNodes("FocusStepper")), None, ManualClock(), load_table(path))
    motor.open()
    assert (motor.info.position_min, motor.info.position_max) == (100.0, 600.0)
    assert motor.info.focus_distance_m(500) == pytest.approx(0.5)
    liquid = PylonLens(CameraLensPort(OpticNodes()), None, ManualClock(), load_table(path))
    with pytest.raises(DeviceLost, match="is in steps, and the lens at the camera's port takes D"):
        liquid.open()
    path.write_text(MOTOR.replace("position_min: 99", "position_min: 700").replace("200", "800"))
    path.write_text(path.read_text().replace("500", "1100"))
    far = PylonLens(CameraLensPort(OpticNodes("FocusStepper")), None, ManualClock(), load_table(path))
    with pytest.raises(DeviceLost, match="has no position that this lens takes, 0 to 600 steps"):
        far.open()


@pytest.fixture
def served(nodes: OpticNodes, tmp_path: Path) -> Iterator[tuple[LensPortServer, Path]]:
    server = LensPortServer(tmp_path / "port" / "lens.socket", nodes)
    server.start()
    yield server, tmp_path / "port" / "lens.socket"
    server.stop()
    server.stop()


def test_the_camera_driver_owns_the_camera_and_may_come_and_go(
    nodes: OpticNodes, served: tuple[LensPortServer, Path]
) -> None:
    server, path = served
    lens = PylonLens(RemoteLensPort(path))
    lens.open()
    assert lens.move(1.25).position == 1.25
    nodes.is_open = False
    with pytest.raises(DeviceLost, match="the camera is not open"):
        lens.read()
    nodes.is_open = True
    assert lens.open().position == 1.25
    server.stop()
    with pytest.raises(DeviceLost, match=r"camera driver at .* is gone"):
        lens.move(2.0)
    with pytest.raises(DeviceLost, match=r"no camera driver serves .*lens_socket"):
        lens.open()
    server.start()
    assert lens.open().position == 1.25
    lens.close()


def test_nonsense_at_the_socket_hurts_nobody(nodes: OpticNodes, served: tuple[LensPortServer, Path]) -> None:
    _, path = served
    for nonsense in (b"", b"\xff\xfe", b"[]", b'{"do": "go"}', b'{"do": "go", "position": "far"}'):
        with Client(str(path), "AF_UNIX") as stranger:
            stranger.send_bytes(nonsense)
            assert b"refused" in stranger.recv_bytes()
    with Client(str(path), "AF_UNIX") as stranger:
        stranger.send_bytes(b"x" * 5000)  # hung up on
    lens = PylonLens(RemoteLensPort(path))
    lens.open()
    assert nodes.commands == []
    lens.close()


def test_one_path_has_one_camera_driver(nodes: OpticNodes, served: tuple[LensPortServer, Path]) -> None:
    _, path = served
    with pytest.raises(FileExistsError, match="another camera driver serves"):
        LensPortServer(path, nodes).start()
    precious = path.with_name("precious")
    precious.write_text("data")
    with pytest.raises(FileExistsError, match="is no socket"):
        LensPortServer(precious, nodes).start()
    assert precious.read_text() == "data"


def test_a_camera_lends_its_nodes_only_while_it_is_open() -> None:
    pytest.importorskip("pypylon", reason="./scripts/setup --hardware installs it")
    from dasha_ros.devices.pylon.camera import PylonCamera
    from dasha_ros.devices.pylon.device import PylonSettings
    from dasha_ros.emulators.camera.bench import CameraBench

    bench = CameraBench()
    camera = PylonCamera(PylonSettings(width=64, height=48), attach=bench.attach)
    lens = PylonLens(CameraLensPort(camera))
    with pytest.raises(DeviceLost, match="the camera is not open"):
        lens.open()
    camera.open()
    with pytest.raises(DeviceLost, match="this camera has no lens port"):  # pylon's emulator has none
        lens.open()
    # The camera is not destroyed while another thread uses its nodes.
    inside, leave = threading.Event(), threading.Event()

    def look(node_map: object) -> None:
        inside.set()
        assert leave.wait(20.0)
        assert node_map.GetNode("Width").GetValue() == 64  # type: ignore[attr-defined]

    looking = threading.Thread(target=camera.with_nodes, args=(look,))
    looking.start()
    assert inside.wait(20.0)
    closing = threading.Thread(target=camera.close)
    closing.start()
    leave.set()
    for thread in (looking, closing):
        thread.join(20.0)
        assert not thread.is_alive()
    with pytest.raises(DeviceLost):
        camera.with_nodes(look)
