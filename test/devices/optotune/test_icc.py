"""Lenses at an ICC-1C or ICC-4C, on a double of Optotune's package: moves, read back, restarts, rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opto_icc import OFF_DIOPTRES, Icc, install

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, OutOfRange
from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.profiles import lens_model

MakeBench = Callable[..., "Bench"]


class Bench:
    def __init__(self, icc: Icc, **options: Any) -> None:
        self.icc, self.clock = icc, ManualClock()
        self.options = {"port": str(icc.port), "board": IccBoard(icc.controller, icc.channel), **options}
        self.lens = self.another()

    def another(self, profile: str = "optotune") -> IccLens:
        return IccLens(IccSettings(**self.options), self.clock, profile=lens_model(profile))


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeBench:
    def bench(controller: str = "icc-4c", channel: int = 0, **options: Any) -> Bench:
        icc = Icc(tmp_path / "port", controller, channel)
        install(monkeypatch, icc)
        return Bench(icc, **options)

    return bench


@pytest.mark.parametrize(("controller", "channel"), [("icc-1c", 0), ("icc-4c", 0), ("icc-4c", 3)])
def test_a_move_is_told_and_read_back_at_the_channel(make: MakeBench, controller: str, channel: int) -> None:
    bench = make(controller, channel)
    bench.lens.open()
    bench.icc.calls.clear()
    reading = bench.lens.move(1.234)
    assert bench.icc.dioptres == pytest.approx(1.235)
    assert reading.position == pytest.approx(1.235)
    assert bench.icc.calls == [
        "GetFocalPower",  # has it restarted?
        "SetFocalPower",
        "GetDiopter",  # is it there?
        "GetFocalPower",
        "GetDiopter",
    ]
    assert all(state.told == 0.0 for state in bench.icc.channels if state is not bench.icc.lens)
    bench.clock.advance(60_000_000)
    assert bench.lens.read().settle_s == 0.0


def test_the_lens_tells_the_range(make: MakeBench) -> None:
    bench = make()
    with pytest.raises(DeviceLost, match="known once it was opened"):
        bench.lens.info  # noqa: B018 - reading it is the test
    bench.lens.open()
    info = bench.lens.info
    assert (info.unit, info.position_min, info.position_max, info.resolution) == ("D", -2.0, 3.0, 0.005)
    with pytest.raises(OutOfRange, match=r"must be a number from -2\.0 to 3\.0 D"):
        bench.lens.move(3.001)
    assert max(bench.icc.sent) <= 3.0


def test_limits_are_rounded_inward(make: MakeBench) -> None:
    bench = make()
    bench.icc.lens.limits = (-1.9987, 2.9961)
    bench.lens.open()
    assert (bench.lens.info.position_min, bench.lens.info.position_max) == (-1.995, 2.995)


def test_opening_a_driven_lens_does_not_move_it(make: MakeBench) -> None:
    bench = make(standby_on_close=False)
    bench.lens.open()
    bench.lens.move(1.5)
    bench.lens.close()
    bench.icc.sent.clear()
    assert bench.another().open().position == 1.5
    assert set(bench.icc.sent) == {1.5}


def test_a_lens_that_follows_another_input_stays_and_then_follows_commands(make: MakeBench) -> None:
    bench = make()
    bench.icc.lens.actual = 0.7
    bench.icc.lens.is_static_input = False  # an analogue input drives it
    assert bench.lens.open().position == pytest.approx(0.7)
    assert bench.icc.lens.is_static_input
    assert bench.icc.dioptres == pytest.approx(0.7)


def test_a_focal_power_beyond_the_range_is_corrected_on_opening(make: MakeBench) -> None:
    bench = make(tolerance_dioptres=10.0)
    bench.icc.lens.told, bench.icc.lens.actual = 9.0, 3.0
    assert bench.lens.open().position == 3.0
    assert bench.icc.sent == [3.0, 3.0]


@pytest.mark.parametrize("position", [0.0, 2.5, -2.0])
def test_a_controller_that_restarts_is_noticed_and_brought_back(make: MakeBench, position: float) -> None:
    bench = make()
    bench.lens.open()
    bench.lens.move(position)
    bench.icc.restart()
    assert bench.icc.dioptres == OFF_DIOPTRES
    with pytest.raises(DeviceLost, match=rf"no longer holds {position:.3f} D: it restarted by itself"):
        bench.lens.read()
    assert bench.lens.open().position == position
    assert bench.icc.dioptres == pytest.approx(position, abs=0.0011)


@pytest.mark.parametrize("position", [0.0, -1.0])
def test_a_move_after_a_restart_just_works(make: MakeBench, position: float) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.restart(is_static_input=False)
    assert bench.lens.move(position).position == position
    assert bench.icc.dioptres == pytest.approx(position, abs=0.0011)


def test_a_lens_that_needs_a_while_is_waited_for(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.looks_until_arrival = 20
    begin = bench.clock.now_ns()
    assert bench.lens.move(2.0).position == 2.0
    assert bench.clock.now_ns() - begin == 20 * 5_000_000
    assert bench.icc.calls.count("SetAsInput") == 1  # when it was opened


def test_a_lens_that_does_not_arrive_is_no_success(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.lens.move(1.0)
    bench.icc.looks_until_arrival = 10_000
    with pytest.raises(
        DeviceTimeout,
        match=r"did not confirm 2\.000 D in 2 attempts.*holds 2\.000 D, and says that the lens is at 1\.000",
    ):
        bench.lens.move(2.0)
    assert bench.lens.describe()["position_in_force"] == 1.0
    assert bench.lens.counts["not in force"] == 2


@pytest.mark.parametrize(("rounding", "fits"), [(0.001, True), (0.005, True), (0.1, False)])
def test_what_is_rounded_too_coarsely_is_refused(make: MakeBench, rounding: float, fits: bool) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.rounding = rounding
    if fits:
        assert bench.lens.move(1.235).position == pytest.approx(1.235)
        return
    with pytest.raises(DeviceTimeout, match=r"did not confirm 1\.235 D .* holds 1\.200 D"):
        bench.lens.move(1.235)


def test_a_command_that_is_taken_and_ignored_is_no_success(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.is_deaf = True
    with pytest.raises(DeviceTimeout, match=r"did not confirm 2\.000 D"):
        bench.lens.move(2.0)
    bench.icc.is_deaf = False
    assert bench.lens.move(2.0).position == 2.0


def test_somebody_else_s_focal_power_is_noticed(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.lens.move(1.0)
    bench.icc.tell(0, 1.01)
    with pytest.raises(DeviceLost, match="someone else changed it"):
        bench.lens.read()


def test_somebody_else_s_focal_power_is_noticed_before_the_lens_goes_there(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.lens.move(1.0)
    bench.icc.looks_until_arrival = 100
    bench.icc.tell(0, 2.0)
    with pytest.raises(DeviceLost, match=r"no longer holds 1\.000 D"):
        bench.lens.read()


def test_a_lens_that_needs_a_while_is_waited_for_when_it_is_opened(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.lens.move(2.0)
    bench.icc.restart()
    bench.icc.looks_until_arrival = 20
    assert bench.lens.open().position == 2.0
    assert bench.lens.counts["not in force"] == 0


def test_closing_takes_the_current_off_unless_told_not_to(make: MakeBench) -> None:
    for standby, dioptres in ((True, OFF_DIOPTRES), (False, 2.0)):
        bench = make(standby_on_close=standby)
        bench.lens.open()
        bench.lens.move(2.0)
        bench.lens.close()
        bench.lens.close()
        assert bench.icc.dioptres == dioptres
        assert bench.icc.boards == 0
        assert bench.lens.counts["standby failed"] == 0
        # What the controller says of the lens stands still meanwhile, and must not be believed.
        assert bench.another().open().position == 2.0
        assert bench.icc.dioptres == 2.0


def test_a_current_that_stays_on_is_counted(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.answers["GetCurrent"] = 0.02
    bench.lens.close()
    assert bench.lens.counts["standby failed"] == 1
    assert bench.icc.boards == 0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (ValueError("unpack"), "garbled"),
        (IndexError("list index"), "garbled"),
        (TimeoutError(), "incomplete"),
    ],
)
def test_a_call_that_fails_is_tried_again(make: MakeBench, trouble: Exception, kind: str) -> None:
    bench = make()
    bench.lens.open()
    flushed = bench.icc.flushed
    bench.icc.raising.extend([None, trouble])
    assert bench.lens.move(1.0).position == 1.0
    assert bench.lens.counts[kind] == 1
    assert bench.icc.flushed == flushed + 1


def test_a_controller_that_stays_silent_is_lost(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.is_silent = True
    with pytest.raises(
        DeviceTimeout, match="asked for the focal power that is set, the package optoICC returned"
    ):
        bench.lens.move(1.0)
    with pytest.raises(DeviceLost, match="silent for 2 commands"):
        bench.lens.move(1.0)


def test_a_port_that_is_gone_is_a_loss_even_where_the_package_only_says_nothing(make: MakeBench) -> None:
    bench = make()
    bench.lens.open()
    bench.icc.raising.append(serial.SerialException("device reports readiness to read but returned no data"))
    with pytest.raises(DeviceLost, match=r"the Optotune ICC-4C at .* is gone \(device reports"):
        bench.lens.move(1.0)
    bench.lens.open()
    call = bench.icc.call
    bench.icc.call = lambda name, work: bench.icc.port.unlink(missing_ok=True)  # type: ignore[method-assign]
    with pytest.raises(DeviceLost, match=r"the Optotune ICC-4C at .* is gone\. Check its cable"):
        bench.lens.move(1.0)
    bench.icc.call = call  # type: ignore[method-assign]
    bench.icc.plug()
    bench.lens.open()


steps = st.lists(
    st.one_of(
        st.floats(),
        st.floats(-2.0, 3.0),
        st.sampled_from(["read", "close", "open", "restart", "restart into analogue", "unplug", "plug"]),
    ),
    max_size=25,
)
troubles = st.lists(
    st.sampled_from([None, None, None, ValueError(), TimeoutError(), serial.SerialException()]), max_size=40
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps, troubles, st.sampled_from(["icc-1c", "icc-4c"]))
def test_whatever_happens_only_commanded_powers_are_told_and_a_move_is_where_it_says(
    make: MakeBench, done: list[float | str], raising: list[Exception | None], controller: str
) -> None:
    bench = make(controller)
    icc, lens = bench.icc, bench.lens
    icc.raising.extend(raising)
    commanded = {0.001}
    actions: dict[str, Callable[[], object]] = {
        "read": lens.read,
        "close": lens.close,
        "open": lens.open,
        "restart": icc.restart,
        "unplug": icc.unplug,
        "plug": icc.plug,
        "restart into analogue": lambda: icc.restart(is_static_input=False),
    }
    for step in ["open", *done]:
        try:
            if isinstance(step, str):
                actions[step]()
            elif math.isfinite(step) and -2.0 <= step <= 3.0:
                commanded.add(round(step * 200) / 200 or 0.001)
                reading = lens.move(step)
                assert icc.dioptres == pytest.approx(reading.position, abs=0.0011)
                assert abs(reading.position - step) <= 0.0025 + 1e-9
            else:
                with pytest.raises((OutOfRange, DeviceLost)):
                    lens.move(step)
        except (DeviceLost, DeviceTimeout):
            continue
    assert set(icc.sent) <= commanded
