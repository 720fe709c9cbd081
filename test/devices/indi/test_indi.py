"""The INDI back end on a server in this process: everything that can go wrong, and backlash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")

from indi_servers import FAKE, STEPS_MAX, FakeFocuser, free_port

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, MoveOvertaken, OutOfRange
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.optics.lens_info import EITHER_SIDE, FROM_ABOVE, FROM_BELOW
from dasha_ros.optics.lens_table import load_table
from dasha_ros.optics.profiles import lens_model

BACKLASH = 40


@pytest.fixture
def focuser() -> Iterator[FakeFocuser]:
    server = FakeFocuser(BACKLASH)
    yield server
    server.close()


@pytest.fixture
def make(focuser: FakeFocuser) -> Iterator[Any]:
    made: list[IndiLens] = []

    def lens(profile: Any = None, **settings: Any) -> IndiLens:
        usual = {"reply_timeout_s": 2.0, "travel_timeout_s": 2.0, "device": FAKE}
        usual["server"] = f"127.0.0.1:{focuser.port}"
        made.append(IndiLens(IndiSettings(**{**usual, **settings}), profile=profile))
        return made[-1]

    yield lens
    for one in made:
        one.close()


def test_opening_connects_the_focuser_and_leaves_it_where_it_is(make: Any, focuser: FakeFocuser) -> None:
    lens = make(device="")
    with pytest.raises(DeviceLost, match="known once it was opened"):
        lens.info  # noqa: B018 - reading it is the test
    assert lens.open().position == 500.0
    assert focuser.connected
    assert focuser.commands == []
    assert (lens.info.unit, lens.info.position_min, lens.info.position_max) == ("steps", 0.0, STEPS_MAX)


def test_the_range_is_the_one_that_the_driver_has_read_from_the_focuser(
    make: Any, focuser: FakeFocuser
) -> None:
    focuser.first_maximum = 100_000
    lens = make()
    lens.open()
    assert lens.info.position_max == STEPS_MAX


def test_a_range_that_changes_is_learnt_before_anything_moves(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    focuser.maximum = 2000
    lens.read()  # the answer carries the new range
    with pytest.raises(DeviceLost, match="from 0 to 2000 steps now, and took 0 to 3000 when it was opened"):
        lens.move(2500)
    assert focuser.commands == []
    lens.open()
    assert lens.info.position_max == 2000
    with pytest.raises(OutOfRange):
        lens.move(2500)


def test_a_move_ends_when_the_motor_has_stopped(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    reading = lens.move(800.4)
    assert reading.position == focuser.at == 800
    assert 0.0 < reading.settle_s <= 0.1


@pytest.mark.parametrize(
    ("approach", "commands"),
    [
        (EITHER_SIDE, [700, 600]),
        (FROM_BELOW, [700 - BACKLASH, 700, 600 - BACKLASH, 600]),
        (FROM_ABOVE, [700 + BACKLASH, 700, 600]),
    ],
)
def test_backlash_is_taken_up_on_the_side_that_was_chosen(
    make: Any, focuser: FakeFocuser, approach: int, commands: list[int]
) -> None:
    lens = make(approach=approach, backlash_steps=BACKLASH)
    lens.open()
    offsets = set()
    for target in (700, 600):
        lens.move(target)
        offsets.add(focuser.at - focuser.felt)
    assert focuser.commands == commands
    # From one side, motor and optics always differ by the same; from either, they do not. From which side
    # the motor had come before is not known, so the first move takes up the backlash, too.
    assert len(offsets) == (2 if approach == EITHER_SIDE else 1)
    assert lens.info.play == (BACKLASH if approach == EITHER_SIDE else 0.0)
    assert lens.info.approach == approach


def test_taking_up_backlash_never_leaves_the_limits(make: Any, focuser: FakeFocuser) -> None:
    lens = make(approach=FROM_BELOW, backlash_steps=BACKLASH)
    lens.open()
    lens.move(10)
    assert focuser.commands == [0, 10]


def test_a_move_that_never_ends_is_stopped(make: Any, focuser: FakeFocuser) -> None:
    lens = make(travel_timeout_s=0.3)
    lens.open()
    focuser.stuck = True
    with pytest.raises(DeviceTimeout, match=r"no arrival of Fake Focuser at 900 steps in 0\.3 s"):
        lens.move(900)
    assert lens.read().position == 500.0  # it answers, and has not moved
    assert focuser.pressed == ["FOCUS_ABORT_MOTION"]


def test_a_move_that_arrives_after_all_is_no_stranger_s(make: Any, focuser: FakeFocuser) -> None:
    lens = make(travel_timeout_s=0.3)
    lens.open()
    focuser.stuck = True
    with pytest.raises(DeviceTimeout):
        lens.move(900)
    focuser.arrive(900)
    assert lens.read().position == 900.0
    assert lens.describe()["position_in_force"] == 900


def test_a_focuser_that_refuses_says_why(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    focuser.send(f'<message device="{FAKE}" message="the motor is too hot"/>')
    focuser.misses, focuser.state_after = 5, "Alert"
    with pytest.raises(DeviceTimeout, match="to 900 steps: its driver says 'the motor is too hot'"):
        lens.move(900)


def test_a_focuser_that_stops_elsewhere_is_no_success(make: Any, focuser: FakeFocuser) -> None:
    lens = make(travel_timeout_s=0.3)
    lens.open()
    focuser.misses = 1
    with pytest.raises(DeviceTimeout, match="no arrival"):
        lens.move(900)


def test_a_focuser_that_somebody_else_moved_is_brought_back(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    lens.move(700)
    focuser.arrive(650)
    with pytest.raises(DeviceLost, match="is at 650 steps, not at 700"):
        lens.read()
    assert lens.open().position == focuser.at == 700


def test_a_focuser_that_is_disconnected_is_connected_again(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    lens.move(700)
    focuser.disconnect()
    with pytest.raises(DeviceLost, match="was disconnected, by its driver or by another client"):
        lens.read()
    assert lens.open().position == 700.0


def test_a_server_that_is_gone_is_noticed_in_the_middle_of_a_move(make: Any, focuser: FakeFocuser) -> None:
    lens = make(travel_timeout_s=30.0)
    lens.open()
    focuser.stuck = True
    send, said = focuser.send, []

    def hang_up(text: str) -> None:
        said.append(text)
        send(text)
        focuser.hang_up()

    focuser.send = hang_up  # type: ignore[method-assign]  # at the first word about the move
    with pytest.raises(DeviceLost, match="is gone"):
        lens.move(900)
    assert said
    focuser.send = send  # type: ignore[method-assign]
    focuser.stuck = False
    assert lens.open().position == 500.0
    assert lens.move(900).position == 900.0


def test_a_silent_server_is_a_timeout_and_an_absent_one_a_loss(make: Any, focuser: FakeFocuser) -> None:
    lens = make(reply_timeout_s=0.3)
    lens.open()
    focuser.silent = True
    with pytest.raises(DeviceTimeout, match=r"gave no ABS_FOCUS_POSITION of Fake Focuser in 0\.3 s"):
        lens.read()
    with pytest.raises(DeviceLost, match="2 times in a row"):
        lens.read()
    with pytest.raises(DeviceLost, match="has no device"):
        lens.open()
    nowhere = IndiLens(IndiSettings(server=f"127.0.0.1:{free_port()}"))
    with pytest.raises(DeviceLost, match=r"no INDI server answers at x+:7624 .*indiserver"):
        IndiLens(IndiSettings(server="x" * 300)).open()
    with pytest.raises(DeviceLost, match=r"no INDI server answers at .*indiserver"):
        nowhere.open()
    with pytest.raises(DeviceLost, match="not connected"):
        nowhere.read()


def test_garbage_from_the_server_hurts_nothing(make: Any, focuser: FakeFocuser) -> None:
    lens = make()
    lens.open()
    for garbage in (
        "<setNumberVector device='Fake Focuser' name='ABS_FOCUS_POSITION' state='Ok'>"
        "<oneNumber name='FOCUS_ABSOLUTE_POSITION'>much</oneNumber></setNumberVector>",
        "<setNumberVector device='Somebody' name='X' state='Fine'/>",
        "<nonsense/>",
    ):
        focuser.send(garbage)
    assert lens.move(700).position == 700.0


@pytest.mark.parametrize(
    ("wrong", "settings", "words"),
    [
        ({"refuses_connection": True}, {}, "can't be connected: its driver says 'no such serial port'"),
        ({"is_focuser": False}, {}, "Fake Focuser may be no focuser"),
        (
            {"extra_devices": ("Camera",)},
            {"device": ""},
            "several devices: Camera, Fake Focuser. Choose one with",
        ),
        ({}, {"device": "Moon"}, "has no device 'Moon'; it has: Fake Focuser"),
        ({}, {"home": "FOCUS_HOME.GO"}, "has no property FOCUS_HOME, which `indi_home` names"),
        ({"maximum": 0}, {}, "from 0 to 0 steps, which is no range"),
    ],
)
def test_what_is_no_usable_focuser_is_refused_with_the_reason(
    make: Any, focuser: FakeFocuser, wrong: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    for name, value in wrong.items():
        setattr(focuser, name, value)
    lens = make(reply_timeout_s=0.5, **settings)
    with pytest.raises(DeviceLost, match=words):
        lens.open()
    assert focuser.commands == []


def test_the_one_that_is_named_is_taken(make: Any, focuser: FakeFocuser) -> None:
    focuser.extra_devices = ("Camera",)
    lens = make()
    lens.open()
    assert lens.describe()["hardware_id"] == f"{FAKE} at 127.0.0.1:{focuser.port}"


def test_the_reference_is_found_once(make: Any, focuser: FakeFocuser) -> None:
    focuser.home_to = 0
    lens = make(home="FOCUS_HOME.GO")
    assert lens.open().position == 0.0
    lens.move(300)
    assert lens.open().position == 300.0
    assert focuser.pressed == ["FOCUS_HOME"]


def test_a_measured_profile_gives_map_and_limits(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "motor.yaml"
    path.write_text(
        "unit: steps\nposition_min: 99.2\nposition_max: 9000\npoints:\n"
        "  - {position: 200, distance_m: 2.0}\n  - {position: 800, distance_m: 0.5}\n"
    )
    lens = make(profile=load_table(path))
    lens.open()
    assert (lens.info.position_min, lens.info.position_max) == (100.0, STEPS_MAX)
    assert lens.info.focus_distance_m(800) == pytest.approx(0.5)
    with pytest.raises(OutOfRange):
        lens.move(99)
    with pytest.raises(ValueError, match="physical is in V, and a focuser takes steps"):
        make(profile=lens_model("physical"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"server": ""}, "is no HOST:PORT"),
        ({"server": "host:0"}, "is no HOST:PORT"),
        ({"server": "host:many"}, "is no HOST:PORT"),
        ({"server": ":7624"}, "is no HOST:PORT"),
        ({"server": "7624"}, "is no HOST:PORT"),
        ({"server": "host:7624:1"}, "is no HOST:PORT"),
        ({"server": "host:\u00b2"}, "is no HOST:PORT"),
        ({"approach": 2}, "approach is 2"),
        ({"backlash_steps": -1}, "must not be negative"),
        ({"home": "FOCUS_HOME"}, "write PROPERTY.SWITCH"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        IndiSettings(**settings)
    assert IndiSettings(server="pi.local").address == ("pi.local", 7624)
    assert IndiSettings(server="10.0.0.7:70").address == ("10.0.0.7", 70)
    assert IndiSettings(server="[::1]:7625").address == ("::1", 7625)


def test_a_move_that_a_newer_command_overtakes_is_stopped_on_the_way(make: Any, focuser: FakeFocuser) -> None:
    lens = make(travel_timeout_s=60.0)
    lens.open()
    lens.heed(focuser.is_halfway.is_set)
    focuser.is_slow = True
    with pytest.raises(MoveOvertaken, match="was stopped at 1000 steps for a newer command"):
        lens.move(1500)
    assert focuser.pressed == ["FOCUS_ABORT_MOTION"]
    # It knows where it stands, and goes on from there.
    assert lens.read().position == 1000.0
    lens.heed(lambda: False)
    assert lens.move(200).position == 200.0


def test_a_focuser_that_cannot_stop_goes_on_to_the_end(make: Any, focuser: FakeFocuser) -> None:
    focuser.can_abort = False
    lens = make()
    lens.open()
    lens.heed(lambda: True)
    assert lens.move(1500).position == 1500.0
    assert focuser.pressed == []


def test_neither_the_way_back_nor_homing_is_stopped(make: Any, focuser: FakeFocuser) -> None:
    focuser.home_to = 0
    lens = make(home="FOCUS_HOME.GO")
    lens.heed(lambda: True)
    lens.open()
    lens.heed(lambda: False)
    lens.move(300)
    lens.heed(lambda: True)
    focuser.arrive(10)
    assert lens.open().position == 300.0
    assert "FOCUS_ABORT_MOTION" not in focuser.pressed
