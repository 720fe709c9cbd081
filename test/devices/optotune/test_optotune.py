"""The Optotune back end against a driver without a wire: every trouble on purpose, no thread, no clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, OutOfRange
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings, connect
from dasha_ros.devices.optotune.protocol import (
    SET_TEMPERATURE_LIMITS,
    TEMPERATURE,
    VERSION,
    error_reply,
    signed,
)
from dasha_ros.emulators.lens.optotune import DriverParser, LensDriver4
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_table import load_table
from dasha_ros.optics.profiles import lens_model


class DriverLink:
    """A line straight into a driver; ``spoil`` sees every request and may answer in its place."""

    def __init__(self, driver: LensDriver4) -> None:
        self.driver = driver
        self.requests: list[bytes] = []
        self.spoil: Iterator[bytes | DeviceError | None] = iter(())
        self.answers: dict[bytes, bytes] = {}
        """Replies by prefix of the request, in place of the driver's."""
        self.closed = 0
        self.quiet_waits = 0

    def exchange(self, request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        self.requests.append(request)
        spoilt = next(self.spoil, None)
        if isinstance(spoilt, DeviceError):
            raise spoilt
        if spoilt is not None:
            return spoilt[:reply_bytes]
        for prefix, answer in self.answers.items():
            if request.startswith(prefix):
                return answer
        [seen] = DriverParser().feed(request)
        return self.driver.handle(seen)[:reply_bytes]

    def wait_quiet(self, quiet_s: float) -> None:
        self.quiet_waits += 1

    def close(self) -> None:
        self.closed += 1


class Bench:
    def __init__(self, *, firmware: str = "F", profile: str = "optotune", **settings: Any) -> None:
        self.driven: list[float] = []
        self.driver = LensDriver4(self.driven.append, firmware=firmware)
        self.link = DriverLink(self.driver)
        self.clock = ManualClock()
        self.lens = OptotuneLens(
            OptotuneSettings(port="/dev/lens", **settings),
            self.clock,
            lambda port, timeout_s: self.link,
            lens_model(profile),
        )


@pytest.mark.parametrize(("firmware", "code"), [("A", 1240), ("F", 240)])
def test_a_move_is_encoded_as_the_firmware_needs_it_and_read_back(firmware: str, code: int) -> None:
    bench = Bench(firmware=firmware)
    bench.lens.open()
    bench.link.requests.clear()
    reading = bench.lens.move(1.2)
    assert bench.driver.code == code
    assert bench.driven[-1] == pytest.approx(1.2)
    assert reading.position == pytest.approx(1.2)
    assert reading.settle_s == pytest.approx(0.05)
    assert len(bench.link.requests) == 3  # the focal power, the mode, and the focal power read back
    bench.clock.advance(60_000_000)
    assert bench.lens.read().settle_s == 0.0


@pytest.mark.parametrize("firmware", ["A", "F"])
def test_the_driver_tells_the_range(firmware: str) -> None:
    bench = Bench(firmware=firmware)
    with pytest.raises(DeviceLost, match="known once it was opened"):
        bench.lens.info  # noqa: B018 - reading it is the test
    bench.lens.open()
    info = bench.lens.info
    assert (info.unit, info.position_min, info.position_max) == ("D", -2.0, 3.0)
    assert info.resolution == 0.005
    assert info.focus_distance_m(2.0) == pytest.approx(0.5)


def test_opening_sets_the_temperature_limits_and_focal_power_mode() -> None:
    bench = Bench(temperature_min_c=15.0, temperature_max_c=35.0)
    assert not bench.driver.obeys
    reading = bench.lens.open()
    assert bench.driver.obeys
    assert reading.position == 0.0
    assert SET_TEMPERATURE_LIMITS.request(signed(560) + signed(240)) in bench.link.requests


def test_opening_a_driven_lens_does_not_move_it() -> None:
    bench = Bench(standby_on_close=False)
    bench.lens.open()
    bench.lens.move(1.5)
    bench.lens.close()
    bench.driver.latched.clear()
    other = OptotuneLens(bench.lens.settings, bench.clock, lambda port, timeout_s: bench.link)
    assert other.open().position == 1.5
    assert bench.driver.latched == []


def test_a_focal_power_beyond_the_range_is_corrected_on_opening() -> None:
    bench = Bench(standby_on_close=False)
    bench.lens.open()
    [far] = DriverParser().feed(bytes.fromhex("50 77 44 41 07 D0 00 00 31 FD"))  # 10 D
    bench.driver.handle(far)
    other = OptotuneLens(bench.lens.settings, bench.clock, lambda port, timeout_s: bench.link)
    assert other.open().position == 3.0


def test_a_driver_that_restarts_is_noticed_and_brought_back() -> None:
    bench = Bench()
    bench.lens.open()
    bench.lens.move(2.5)
    bench.driver.power_on()
    with pytest.raises(DeviceLost, match=r"no longer holds 2\.500 D: it restarted by itself"):
        bench.lens.read()
    assert bench.lens.open().position == 2.5
    assert bench.driver.driven == 2.5


def test_a_move_after_a_restart_just_works() -> None:
    bench = Bench()
    bench.lens.open()
    bench.driver.power_on()  # it has forgotten the temperature limits, too
    bench.lens.move(-1.0)
    assert bench.driver.driven == -1.0


def test_a_focal_power_that_did_not_arrive_is_no_success() -> None:
    bench = Bench(attempts=2)
    bench.lens.open()
    bench.lens.move(1.0)
    bench.link.answers[b"PwDA"] = b""
    with pytest.raises(DeviceTimeout, match=r"2\.000 D in 2 attempts.*code 200 in mode 5, not code 400"):
        bench.lens.move(2.0)
    assert bench.lens.counts["not in force"] == 2
    assert bench.lens.describe()["position_in_force"] == 1.0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(error_reply(1), "refused"), (b"", "incomplete"), (b"MMA", "incomplete"), (b"\x00" * 12, "garbled")],
)
def test_a_spoilt_reply_is_tried_again(trouble: bytes, kind: str) -> None:
    bench = Bench()
    bench.lens.open()
    waits = bench.link.quiet_waits
    bench.link.spoil = iter([None, trouble])
    bench.lens.move(1.0)
    assert bench.driver.driven == 1.0
    assert bench.lens.counts[kind] == 1
    assert bench.link.quiet_waits == waits + 1


def test_a_driver_that_stays_silent_is_lost() -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.spoil = iter([b""] * 100)
    with pytest.raises(DeviceTimeout):
        bench.lens.move(1.0)
    with pytest.raises(DeviceLost, match="silent for 2 commands"):
        bench.lens.move(1.0)


def test_what_does_not_speak_the_protocol_is_not_opened() -> None:
    bench = Bench()
    bench.link.spoil = iter([b"$GPRMC,123456"] * 100)
    with pytest.raises(DeviceLost, match="/dev/lens does not answer as an Optotune Lens Driver 4"):
        bench.lens.open()
    assert bench.link.closed == 1


def test_a_driver_without_a_lens_says_so() -> None:
    bench = Bench()
    bench.driver.set_faults(0b10)
    with pytest.raises(DeviceLost, match=r"says: no lens data.*Check that a lens with a memory is plugged"):
        bench.lens.open()
    assert bench.link.closed == 1


def test_a_range_that_a_profile_has_not_got_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "far.yaml"
    path.write_text(
        "unit: D\nposition_min: 5\nposition_max: 9\npoints:\n"
        "  - {position: 5, distance_m: 2.0}\n  - {position: 9, distance_m: 0.5}\n"
    )
    bench = Bench(profile=str(path))
    with pytest.raises(DeviceLost, match="guarantees no focal power inside 5 to 9 D from 20 to 45 deg C"):
        bench.lens.open()


def test_limits_are_those_that_device_and_profile_share(tmp_path: Any) -> None:
    path = tmp_path / "near.yaml"
    path.write_text(
        "unit: D\nposition_min: 0.123\nposition_max: 9\npoints:\n"
        "  - {position: 1, distance_m: 2.0}\n  - {position: 2, distance_m: 0.5}\n"
    )
    bench = Bench(profile=str(path))
    bench.lens.open()
    assert (bench.lens.info.position_min, bench.lens.info.position_max) == (0.125, 3.0)
    assert bench.lens.info.profile == load_table(path).id


def test_faults_temperature_and_warnings_are_read() -> None:
    bench = Bench()
    bench.lens.open()
    bench.driver.temperature_c = 31.25
    bench.driver.set_faults(0b1000_1000)
    assert bench.lens.read().faults == ("focal power out of reach",)
    said = bench.lens.describe()
    assert said["temperature_c"] == 31.25
    assert said["warnings"] == ["temperature outside the chosen limits"]
    assert said["firmware"] == "1.11.7.42"
    assert said["lens_serial_number"] == "EMUL0001"
    bench.link.answers[b"TCA"] = TEMPERATURE.reply(signed(4095))  # there is no sensor
    bench.lens.read()
    assert bench.lens.describe()["temperature_c"] is None


def test_names_that_cannot_be_read_are_no_obstacle() -> None:
    bench = Bench()
    bench.link.answers = {VERSION.prefix: error_reply(2), b"X": error_reply(2)}
    bench.lens.open()
    said = bench.lens.describe()
    assert (said["firmware"], said["lens_serial_number"]) == ("type F", "unknown")


def test_closing_takes_the_current_off_unless_told_not_to() -> None:
    for standby, driven in ((True, 0.0), (False, 2.0)):
        bench = Bench(standby_on_close=standby)
        bench.lens.open()
        bench.lens.move(2.0)
        bench.lens.close()
        bench.lens.close()
        assert bench.driver.driven == driven
        assert bench.link.closed == 1


@pytest.mark.parametrize(("low", "high"), [(30.0, 30.0), (40.0, 20.0), (-121.0, 20.0), (math.nan, 20.0)])
def test_temperatures_that_are_no_range_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="the first must be below the second"):
        OptotuneSettings(port="/dev/lens", temperature_min_c=low, temperature_max_c=high)


def test_a_profile_in_volts_is_refused() -> None:
    with pytest.raises(ValueError, match="in V, and an Optotune lens takes D: use the profile optotune"):
        Bench(profile="physical")


def test_the_port_is_opened_as_the_driver_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(serial, "Serial", lambda port, **options: seen.update(options, port=port))
    connect("/dev/lens", 0.05)
    assert (seen["baudrate"], seen["bytesize"], seen["parity"], seen["stopbits"]) == (115_200, 8, "N", 1)


operations = st.lists(
    st.one_of(
        st.floats(),
        st.floats(-2.0, 3.0),
        st.sampled_from(["read", "close", "open", "brown-out"]),
    ),
    max_size=25,
)
replies = st.lists(
    st.one_of(st.none(), st.binary(max_size=12), st.sampled_from([error_reply(1), b""])), max_size=40
)


@given(operations, replies)
def test_whatever_happens_only_commanded_powers_are_sent_and_the_memory_is_left_alone(
    steps: list[float | str], spoilt: list[bytes | None]
) -> None:
    bench = Bench(attempts=2)
    bench.link.spoil = iter(spoilt)
    commanded = {0}
    actions: dict[str, Callable[[], object]] = {
        "read": bench.lens.read,
        "close": bench.lens.close,
        "open": bench.lens.open,
        "brown-out": bench.driver.power_on,
    }
    for step in ["open", *steps]:
        try:
            if isinstance(step, str):
                actions[step]()
            elif math.isfinite(step) and -2.0 <= step <= 3.0:
                commanded.add(round(step * 200))
                reading = bench.lens.move(step)
                assert bench.driver.code == round(step * 200)
                assert bench.driver.obeys
                assert abs(reading.position - step) <= 0.0025 + 1e-9
            else:
                with pytest.raises((OutOfRange, DeviceLost)):
                    bench.lens.move(step)
        except (DeviceLost, DeviceTimeout):
            continue
    assert set(bench.driver.latched) <= commanded
    assert bench.driver.stored == 0
