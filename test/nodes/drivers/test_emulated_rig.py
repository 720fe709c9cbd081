"""The whole job through real pypylon and real pyserial, and what happens when cables are pulled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

from emulated import ERROR, IMPATIENT, WARN, Rig, emulated_rig
from ros_harness import PATIENCE_S

pytestmark = [pytest.mark.graph, pytest.mark.slow]

LATE_S = 8.0
"""So late are replies that the driver has given up long before."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with emulated_rig(tmp_path_factory.mktemp("reports"), tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture(autouse=True)
def _mended(rig: Rig) -> Iterator[None]:
    yield
    rig.mend()


def failed(result: Any, name: str) -> None:
    """Assert that a goal ended with a code by name."""
    from dasha_ros.action import FocusOnObject

    assert result.error_code == getattr(FocusOnObject.Result, name), result.error_msg


def test_goals_succeed_through_real_drivers(rig: Rig) -> None:
    rig.finds()
    assert (
        rig.lens[-1].position != rig.lens[-1].commanded_position
        or rig.lens[-1].commanded_position % 0.0445 == 0
    )


def test_between_goals_nothing_moves_the_lens(rig: Rig) -> None:
    # Other products have a lens that can't be locked, or an autofocus that hunts forever.
    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    commands = rig.probe.subscribe(msg.LensCommand, "lens/command", qos.COMMAND)
    rig.finds()
    # The result may arrive before the last command, which makes the position permanent, and before its state.
    rig.probe.until(
        lambda: (
            commands
            and rig.lens[-1].command == commands[-1].id
            and commands[-1].id.sender.startswith("/dasha/focus_server#")
        ),
        "the goal's own commands",
    )
    moved, held = len(commands), rig.lens[-1].command
    # Light and distances change; a continuous autofocus would follow them.
    for distances in ([1.0, 10.0], [0.8, 10.0]):
        assert rig.probe.set_parameter("twin_world", "distances_m", distances).successful
        rig.probe.spin(0.5)
    assert len(commands) == moved
    assert rig.lens[-1].command == held


def test_too_much_light_for_the_shortest_exposure_of_this_camera(rig: Rig) -> None:
    # The emulator's shortest is 100 us, the table's 24 us. A refused command would have no answer.
    assert rig.probe.set_parameter("twin_world", "illuminance_lx", 200_000.0).successful
    result = rig.client.run("motorcycle")
    assert rig.probe.set_parameter("twin_world", "illuminance_lx", 300.0).successful
    failed(result, "EXPOSURE_NOT_REACHED")
    assert "from 100 to" in result.error_msg
    assert all(v.key != "refused_commands" for v in rig.statuses("camera_driver")[-1].values)
    rig.finds()


def test_a_lens_pulled_for_a_moment_comes_back(rig: Rig) -> None:
    before = rig.lens[-1].commanded_position
    rig.pull(lens_plugged=False)
    said = rig.until_level("lens_driver", ERROR, "the lens driver to notice")
    assert "trying again" in said
    rig.pull(lens_plugged=True)
    rig.until_well()
    assert rig.lens[-1].commanded_position == before
    rig.finds()


def test_a_lens_pulled_in_the_middle_of_a_goal(rig: Rig) -> None:
    goal = rig.send_and_focus()
    rig.pull(lens_plugged=False)
    failed(goal.result(), "LENS_LOST")
    rig.pull(lens_plugged=True)
    rig.until_well()
    rig.finds()


def test_a_supply_that_dips(rig: Rig) -> None:
    since = len(rig.statuses("lens_driver"))
    rig.pull(brown_outs=1)
    rig.until_passing("lens_driver", ERROR, since, "the lens driver to notice")
    rig.until_well()
    rig.finds()


def test_a_board_that_reports_a_fault(rig: Rig) -> None:
    rig.pull(fault_bits=0b100)
    rig.until_level("lens_driver", ERROR, "the fault to be told", "thermal shutdown")
    result = rig.client.run("motorcycle")
    failed(result, "LENS_LOST")
    assert "thermal shutdown" in result.error_msg
    rig.mend()
    rig.finds()


def test_a_bad_line_costs_time_but_no_goals(rig: Rig) -> None:
    spoilt = ("drop_request", "corrupt_request", "drop_reply", "corrupt_reply", "half_reply", "late_reply")
    rig.pull(late_s=1.0)  # later than the driver waits
    rig.pull(**dict.fromkeys((*spoilt, "nack", "noise"), 0.04))
    rig.finds()


@pytest.mark.parametrize("trouble", ["corrupt_reply", "half_reply", "late_reply"])
def test_a_line_on_which_no_reply_is_whole(rig: Rig, trouble: str) -> None:
    # Replies that are too late for their command arrive while the driver recovers.
    rig.pull(late_s=LATE_S)
    goal = rig.send_and_focus()
    rig.pull(**{trouble: 1.0})
    failed(goal.result(), "LENS_LOST")
    said = rig.until_level("lens_driver", ERROR, "the lens driver to give up")
    assert "the last: " in said or "does not answer as" in said
    rig.mend()
    if trouble == "late_reply":
        # Those of before the mend would be taken for answers to the goal's commands.
        rig.probe.spin(LATE_S)
    rig.finds()


def test_another_lens_in_its_place_and_a_port_that_another_process_holds(rig: Rig) -> None:
    import serial

    rig.pull(lens_plugged=False)
    rig.bench(lens_serial_number="9999")
    rig.pull(lens_plugged=True)
    rig.until_level("lens_driver", ERROR, "the lens driver to refuse it", "serial number '9999', not '0001'")
    failed(rig.client.run("giraffe"), "LENS_LOST")
    with serial.Serial(str(rig.port), exclusive=True):
        rig.bench(lens_serial_number="0001")
        rig.until_level("lens_driver", ERROR, "the lens driver to be kept out", "held by another process")
        failed(rig.client.run("giraffe"), "LENS_LOST")
    rig.until_well()
    rig.finds()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"plugged": False}, "removed"),
        ({"plugged": False, "announces_removal": False}, "it is there but silent"),
        ({"swallowed_triggers": 1_000_000}, "it is there but silent"),
        ({"damages_frames": True}, "was damaged"),
        ({"stream_dies": True}, "the stream broke down"),
    ],
    ids=["unplugged", "removal that pylon misses", "silent", "damaged", "stream"],
)
def test_a_camera_that_fails_in_the_middle_of_a_goal(rig: Rig, trouble: dict[str, Any], words: str) -> None:
    goal, before = rig.send_and_focus(), len(rig.statuses("camera_driver"))
    rig.bench(**trouble)
    failed(goal.result(), "CAMERA_LOST")

    def told() -> list[str]:
        return [s.message for s in rig.statuses("camera_driver")[before:] if s.level == ERROR]

    rig.probe.until(lambda: any(words in message for message in told()), f"{words!r} in {told()}")
    rig.mend()
    rig.finds()


@pytest.fixture
def patient(rig: Rig) -> Iterator[None]:
    """Agents that wait for a camera as long as a busy machine takes to open it again."""

    def wait(budget_s: float) -> None:
        for agent in ("high_level_agent", "low_level_agent"):
            assert rig.probe.set_parameter(agent, "inference_budget_s", budget_s).successful

    wait(PATIENCE_S)
    yield
    wait(IMPATIENT["inference_budget_s"])


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("trouble", "level", "words", "counted"),
    [
        ({"plugged": False}, ERROR, "removed", "device_losses"),
        ({"damaged_frames": 2}, WARN, "was damaged", "count incomplete"),
        ({"stream_deaths": 1}, WARN, "the stream broke down", "device_errors"),
    ],
    ids=["unplugged", "damaged", "stream"],
)
def test_a_camera_that_fails_for_a_moment_costs_no_goal(
    rig: Rig, trouble: dict[str, Any], level: bytes, words: str, counted: str
) -> None:
    goal = rig.client.send("motorcycle")
    goal.until_step(phase=2, step=2)
    since = len(rig.statuses("camera_driver"))
    rig.bench(**trouble)
    rig.until_passing("camera_driver", level, since, "the camera driver to notice", words)
    rig.bench(plugged=True)
    failed(goal.result(), "NONE")
    rig.until_well()
    assert counted in {v.key for v in rig.statuses("camera_driver")[-1].values}


def test_another_camera_in_its_place_and_one_that_another_process_holds(rig: Rig) -> None:
    rig.bench(plugged=False)
    rig.until_level("camera_driver", ERROR, "the camera driver to notice")
    rig.bench(serial_number="4711", plugged=True)
    rig.until_level("camera_driver", ERROR, "the camera driver to refuse it", "pylon sees: Emulation 4711")
    failed(rig.client.run("giraffe"), "CAMERA_LOST")
    rig.bench(serial_number="", held=True)
    rig.until_level("camera_driver", ERROR, "the camera driver to be kept out", "another process holds it")
    failed(rig.client.run("giraffe"), "CAMERA_LOST")
    rig.mend()
    rig.finds()


@pytest.mark.parametrize(("driver", "code"), [("camera_driver", "CAMERA_LOST"), ("lens_driver", "LENS_LOST")])
def test_a_driver_that_is_killed(rig: Rig, driver: str, code: str) -> None:
    goal = rig.send_and_focus()
    rig.graph.kill(driver)
    failed(goal.result(), code)
    rig.start(driver)
    rig.graph.until_active(driver)
    rig.until_well()
    rig.finds()


def test_a_rig_that_goes_away_in_the_middle_of_a_goal(rig: Rig) -> None:
    from dasha_ros.action import FocusOnObject

    goal = rig.send_and_focus()
    rig.graph.kill("device_emulator")
    result = goal.result()
    assert result.error_code in (FocusOnObject.Result.CAMERA_LOST, FocusOnObject.Result.LENS_LOST)
    said = rig.until_level("camera_driver", ERROR, "the camera driver to notice")
    assert "dasha emulate camera" in said
    # After kill -9 the link points at a pseudo-terminal that another program may get.
    assert rig.port.is_symlink()
    said = rig.until_level("lens_driver", ERROR, "the lens driver to notice")
    assert "was left behind" in said or "there is no" in said
    rig.start("device_emulator")
    rig.until_well()
    rig.finds()


def test_only_its_own_thread_ever_called_the_sdk(rig: Rig) -> None:
    # Must run last. An executor that waits for a camera serves no topic.
    rig.bench(plugged=False)
    rig.until_level("camera_driver", ERROR, "the camera driver to notice")
    rig.bench(plugged=True)
    rig.until_well()
    for child in rig.graph.spawner.children:
        assert "SDK call" not in child.output
