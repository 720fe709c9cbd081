"""The serial port of the lens board: how it is opened and found."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from serial.tools import list_ports

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.serial.link import SerialLink
from dasha_ros.devices.serial.ports import find_port


def test_the_port_is_opened_as_the_board_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # A pseudo-terminal ignores baud rate and parity, so that no emulator can miss them.
    seen: dict[str, Any] = {}
    monkeypatch.setattr(serial, "Serial", lambda port, **options: seen.update(options, port=port))
    SerialLink("/dev/lens", 0.05, 57_600)
    assert (seen["baudrate"], seen["bytesize"], seen["parity"], seen["stopbits"]) == (57_600, 8, "N", 1)
    assert [seen[flow] for flow in ("xonxoff", "rtscts", "dsrdtr")] == [False] * 3
    assert seen["exclusive"]
    assert seen["timeout"] == 0.05
    assert 0 < seen["write_timeout"] <= 1.0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (serial.SerialException("[Errno 11] Could not exclusively lock port"), "held by another process"),
        (serial.SerialException("[Errno 16] Device or resource busy"), "held by another process"),
        (PermissionError(13, "Permission denied"), "dialout"),
        (serial.SerialException("something else"), "could not be opened: something else"),
    ],
)
def test_a_port_that_does_not_open_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    with pytest.raises(DeviceLost, match=words):
        SerialLink(os.devnull, 0.05, 57_600)
    if "something" in words:
        with pytest.raises(DeviceLost, match="there is no /dev/nothing"):
            SerialLink("/dev/nothing", 0.05, 57_600)


def test_what_is_no_serial_port_is_called_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "port.txt").touch()
    for name, words in (
        ("port.txt", "is no serial port but a file"),
        (".", "is no serial port but a folder"),
    ):
        with pytest.raises(DeviceLost, match=f"{words}. `dasha lens list` names"):
            SerialLink(str(tmp_path / name), 0.05, 57_600)
    with pytest.raises(DeviceLost, match=r"/dev/null is no serial port\. `dasha lens list` names"):
        SerialLink(os.devnull, 0.05, 57_600)


@pytest.fixture
def two_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/zero", serial_number="A1"),
        SimpleNamespace(device="/dev/null", serial_number=None),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda include_links: ports)


@pytest.mark.usefixtures("two_boards")
def test_a_port_is_found_by_its_serial_number() -> None:
    assert find_port("", "A1") == "/dev/zero"
    assert find_port("/dev/zero", "A1") == "/dev/zero"
    assert find_port("/dev/anything", "") == "/dev/anything"


@pytest.mark.usefixtures("two_boards")
def test_a_wrong_serial_number_is_refused() -> None:
    with pytest.raises(DeviceLost, match=r"'B2'; found: /dev/null \(no serial number\), /dev/zero \(A1\)"):
        find_port("", "B2")
    with pytest.raises(DeviceLost, match="serial number 'A1', not 'B2'"):
        find_port("/dev/zero", "B2")
    with pytest.raises(DeviceLost, match="there is no /dev/nothing"):
        find_port("/dev/nothing", "B2")
    with pytest.raises(OutOfRange, match="port or a serial number"):
        find_port("", "")
