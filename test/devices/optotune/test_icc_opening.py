"""What keeps a lens at an ICC-1C or ICC-4C from being opened: each ends in a sentence for people."""

from __future__ import annotations

import fcntl
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest
import serial
from opto_icc import DeviceModel, Icc, install

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.optotune.icc import controller
from dasha_ros.devices.optotune.icc.boards import IccBoard, icc_board
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.devices.optotune.icc.library import board_class, check_installed
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.profiles import lens_model
from dasha_ros.system.extras import ExtraMissing

TIOCGEXCL = 0x80045440
"""Linux: whether a terminal is closed to others; the module termios has no name for it."""


@pytest.fixture
def icc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Icc:
    device = Icc(tmp_path / "port", channel=1)
    install(monkeypatch, device)
    return device


def at(icc: Icc, channel: int = 1, profile: str = "optotune", **options: Any) -> IccLens:
    settings = IccSettings(**{"port": str(icc.port), "board": IccBoard("icc-4c", channel), **options})
    return IccLens(settings, ManualClock(), profile=lens_model(profile))


def test_a_port_that_is_not_there_is_named(icc: Icc) -> None:
    with pytest.raises(DeviceLost, match=r"there is no /nowhere\. Is the ICC-4C plugged in"):
        at(icc, port="/nowhere").open()
    with pytest.raises(OutOfRange, match="needs a port or a serial number"):
        at(icc, port="").open()


def test_what_is_no_such_controller_is_not_opened(icc: Icc, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    with pytest.raises(
        DeviceLost, match=r"no Optotune ICC-4C answers at .*/other \(SerialException: could not"
    ):
        at(icc, port=str(other)).open()
    with pytest.raises(DeviceLost, match="no Optotune ICC-1C answers at"):
        at(icc, board=IccBoard("icc-1c")).open()


@pytest.mark.parametrize(
    ("number", "words"),
    [(13, "no permission to open .* Join the dialout group"), (16, "held by another process")],
)
def test_a_port_that_can_t_be_opened_says_why(
    icc: Icc, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(port: str) -> None:
        raise serial.SerialException(number, f"could not open port {port}")

    monkeypatch.setattr(controller, "board_class", lambda board: refuse)
    with pytest.raises(DeviceLost, match=words):
        at(icc).open()


@pytest.mark.parametrize("nothing", [DeviceModel.DISCONNECTED, None])
def test_a_channel_without_a_lens_is_named(icc: Icc, nothing: DeviceModel | None) -> None:
    icc.plug_lens(nothing)
    with pytest.raises(DeviceLost, match=r"no lens is connected to channel 1 of the ICC-4C at .*Plug one in"):
        at(icc).open()
    assert icc.boards == 0
    with pytest.raises(DeviceLost, match="no lens is connected to channel 3"):
        at(icc, channel=3).open()


def test_a_mirror_is_no_lens(icc: Icc) -> None:
    icc.plug_lens(DeviceModel.XPR20)
    with pytest.raises(DeviceLost, match="is of the type XPR20, and no tunable lens"):
        at(icc).open()
    assert icc.boards == 0


@pytest.mark.parametrize("limits", [(0.0, 0.0), (3.0, -2.0), (-2.0, 70.0)])
def test_a_range_that_is_none_is_refused(icc: Icc, limits: tuple[float, float]) -> None:
    icc.lens.limits = limits
    with pytest.raises(DeviceLost, match="as the range of its lens, which is none"):
        at(icc).open()
    assert icc.sent == []


@pytest.mark.parametrize("reply", ["COMMAND_LENGTH_MISMATCH", float("nan"), [1.0, 2.0], {}, True, None, b""])
def test_a_range_that_is_no_number_is_refused(icc: Icc, reply: object) -> None:
    icc.answers["GetMaxDiopter"] = reply
    with pytest.raises(
        DeviceLost, match=r"does not answer as an Optotune ICC-4C: .*the greatest focal power"
    ):
        at(icc).open()
    assert icc.sent == []


@pytest.mark.parametrize("reply", ["UNKNOWN_ERROR", 7])
def test_a_type_that_is_none_is_refused(icc: Icc, reply: object) -> None:
    icc.answers["GetDeviceType"] = reply
    with pytest.raises(DeviceLost, match=r"does not answer as an Optotune ICC-4C: .*the type of the lens"):
        at(icc).open()


def test_a_range_that_a_profile_has_not_got_is_refused(icc: Icc, tmp_path: Path) -> None:
    path = tmp_path / "far.yaml"
    path.write_text(
        "unit: D\nposition_min: 5\nposition_max: 9\npoints:\n"
        "  - {position: 5, distance_m: 2.0}\n  - {position: 9, distance_m: 0.5}\n"
    )
    with pytest.raises(DeviceLost, match=r"reaches -2 to 3 D, and the profile .* 5 to 9 D: choose another"):
        at(icc, profile=str(path)).open()
    with pytest.raises(ValueError, match="in V, and an Optotune lens takes D: use the profile optotune"):
        at(icc, profile="physical")


def test_names_that_cannot_be_read_are_no_obstacle(icc: Icc) -> None:
    icc.answers = {"GetFirmwareVersionMinor": "ERROR", "GetSerialNumber": None}
    lens = at(icc)
    lens.open()
    assert (lens.describe()["firmware"], lens.describe()["lens_serial_number"]) == ("unknown", "unknown")


def test_without_the_package_a_sentence_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = tmp_path / "port"
    port.touch()
    for package in ("optoICC", "optoKummenberg"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    words = r"optoICC and optoKummenberg are not installed; it is not on PyPI: register at optotune\.com"
    with pytest.raises(ExtraMissing, match=words):
        check_installed()
    with pytest.raises(ExtraMissing, match=words):
        IccLens(IccSettings(port=str(port))).open()


def test_a_package_without_the_controller_s_class_says_so(icc: Icc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["optoICC.icc1c"], "ICC1cBoard")
    with pytest.raises(
        ExtraMissing, match=r"2\.0 or later, and the one that is installed has no optoICC\.icc1c"
    ):
        board_class(IccBoard("icc-1c"))


@pytest.mark.parametrize(
    ("text", "board"),
    [
        ("icc-1c", IccBoard("icc-1c", 0)),
        ("icc-4c", IccBoard("icc-4c", 0)),
        ("icc-4c:3", IccBoard("icc-4c", 3)),
        ("lens-driver-4", None),
    ],
)
def test_boards_are_named_as_people_do(text: str, board: IccBoard | None) -> None:
    assert icc_board(text) == board


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("icc-4c:4", "channel 4: an ICC-4C has channels 0 to 3"),
        ("icc-1c:1", "channel 1: an ICC-1C has only channel 0"),
        ("icc-4c:x", "after the colon comes the number of a channel"),
    ],
)
def test_channels_that_are_not_there_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        icc_board(text)
    with pytest.raises(ValueError, match="unknown controller 'ecc-1c'; choose one of icc-1c, icc-4c"):
        IccBoard("ecc-1c")


@pytest.mark.parametrize("name", ["tolerance_dioptres", "arrival_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*it must be a positive number"):
        IccSettings(**{name: value})


def test_a_port_is_closed_to_others_as_long_as_the_package_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double's port is a file elsewhere; this one is a terminal, as a USB port is."""
    main, terminal = pty.openpty()
    icc = Icc(Path(os.ttyname(terminal)), channel=1)
    install(monkeypatch, icc)
    state = bytearray(4)
    fcntl.ioctl(terminal, TIOCGEXCL, state)
    assert int.from_bytes(state, sys.byteorder) == 0
    lens = at(icc)
    lens.open()
    fcntl.ioctl(terminal, TIOCGEXCL, state)
    assert int.from_bytes(state, sys.byteorder) == 1
    lens.close()
    os.close(terminal)
    os.close(main)
