"""What a lens at an ICC-1C or ICC-4C tells of itself: faults, temperature, names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opto_icc import Icc, install

from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.freshness.clock import ManualClock

OpenAt = Callable[..., tuple[Icc, IccLens]]


@pytest.fixture
def open_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenAt:
    def opened(controller: str = "icc-4c", channel: int = 0) -> tuple[Icc, IccLens]:
        icc = Icc(tmp_path / "port", controller, channel)
        install(monkeypatch, icc)
        lens = IccLens(IccSettings(port=str(icc.port), board=IccBoard(controller, channel)), ManualClock())
        lens.open()
        return icc, lens

    return opened


def test_temperature_faults_and_what_was_are_read(open_at: OpenAt) -> None:
    icc, lens = open_at(channel=2)
    channel_2, channel_3, driver = 0b1 << 4, 0b11 << 6, 0b10 << 8
    icc.errors = channel_2 | channel_3 | driver
    icc.lens.temperature_c = 31.25
    assert lens.read().faults == ("output fault",)
    said = lens.describe()
    assert said["warnings"] == ["earlier: controller overheated"]
    assert said["temperature_c"] == 31.25
    assert (said["model"], said["channel"], said["lens_type"]) == ("Optotune ICC-4C", 2, "EL1640TC_5D")
    assert (said["firmware"], said["lens_serial_number"]) == ("2.0.5256", "ASAA0001")
    assert said["hardware_id"] == f"Optotune ASAA0001 at {icc.port}, channel 2"
    icc.answers["GetDeviceTemperature"] = None
    lens.read()
    assert lens.describe()["temperature_c"] is None


def test_a_lens_that_is_pulled_out_is_a_fault(open_at: OpenAt) -> None:
    icc, lens = open_at("icc-1c")
    icc.plug_lens(None)
    assert lens.read().faults == ("lens not detected",)
    icc.errors = 1 << 10
    assert lens.read().faults == ("lens not detected",)


def test_faults_in_the_package_s_own_words_are_shown(open_at: OpenAt) -> None:
    icc, lens = open_at()
    icc.answers["GetErrorFlagRegister"] = ["Device on channel 1 not detected"]
    assert lens.read().faults == ()
    assert lens.describe()["warnings"] == ["the controller says: Device on channel 1 not detected"]
