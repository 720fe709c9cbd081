"""The lens port against a board without a wire: every trouble on purpose, no thread, no clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, OutOfRange
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.devices.varioptic.protocol import READ_NACK, WRITE_ACK, WRITE_NACK, Request, RequestParser
from dasha_ros.emulators.lens.board import LensBoard
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.varioptic import quantised_volts


class BoardLink:
    """A line straight into a board; ``spoil`` sees every request and may answer in its place."""

    def __init__(self, board: LensBoard) -> None:
        self.board = board
        self.requests: list[bytes] = []
        self.spoil: Iterator[bytes | DeviceError | None] = iter(())
        self.closed = 0
        self.quiet_waits = 0

    def exchange(self, request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        self.requests.append(request)
        spoilt = next(self.spoil, None)
        if isinstance(spoilt, DeviceError):
            raise spoilt
        if spoilt is not None:
            return spoilt
        [seen] = RequestParser().feed(request)
        return self.board.handle(seen)

    def wait_quiet(self, quiet_s: float) -> None:
        self.quiet_waits += 1

    def close(self) -> None:
        self.closed += 1


class Bench:
    def __init__(self, *, analog: bool = True, **settings: Any) -> None:
        self.driven: list[float] = []
        self.board = LensBoard(self.driven.append, analog_at_power_on=analog)
        self.link = BoardLink(self.board)
        self.clock = ManualClock()
        self.lens = VariopticLens(
            VariopticSettings(port="/dev/lens", **settings), self.clock, lambda port, timeout_s: self.link
        )

    def writes_to(self, register: int) -> list[bytes]:
        parser = RequestParser()
        seen = [r for request in self.link.requests for r in parser.feed(request)]
        return [r.values for r in seen if r.values and r.address <= register < r.address + r.count]


def test_opening_leaves_analog_mode_and_keeps_the_lens_where_its_registers_say() -> None:
    bench = Bench()
    reading = bench.lens.open()
    assert bench.board.mode == 0
    assert bench.board.code == 0
    assert reading.position == 24.4  # the dead band of the driver chip
    assert reading.settle_s == pytest.approx(0.07)


def test_opening_a_driven_board_does_not_touch_it() -> None:
    bench = Bench(analog=False)
    reading = bench.lens.open()
    assert bench.board.latched == []
    assert reading.settle_s == 0.0


def test_a_move_is_quantised_settles_and_is_read_back() -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.requests.clear()
    reading = bench.lens.move(45.0)
    assert bench.board.code == 21_000
    assert reading.position == pytest.approx(24.4 + 463 * 0.0445)
    assert reading.settle_s == pytest.approx(0.07)
    assert len(bench.link.requests) == 2  # the write and its check
    bench.clock.advance(30_000_000)
    assert bench.lens.read().settle_s == pytest.approx(0.04)
    bench.clock.advance(50_000_000)
    assert bench.lens.read().settle_s == 0.0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(WRITE_NACK, "refused"), (b"", "incomplete"), (WRITE_ACK[:2], "incomplete"), (b"\x00" * 4, "garbled")],
)
def test_a_spoilt_reply_is_tried_again(trouble: bytes, kind: str) -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.spoil = iter([trouble])
    assert bench.lens.move(30.0).position == pytest.approx(30.0, abs=0.0223)
    assert bench.lens.counts[kind] == 1
    assert bench.link.quiet_waits == 2  # after opening, and after the trouble


def test_an_acknowledged_voltage_that_is_not_in_force_is_no_success() -> None:
    bench = Bench(attempts=3)
    bench.lens.open()
    # Every write is acknowledged by nobody: the board never sees it.
    bench.link.spoil = iter([WRITE_ACK, None] * 3)
    with pytest.raises(DeviceTimeout, match=r"33\.000 V in 3 attempts.*holds code 0"):
        bench.lens.move(33.0)
    assert bench.lens.counts["not in force"] == 3
    assert bench.lens.describe()["position_in_force"] == 24.0


def test_a_voltage_whose_confirmation_was_lost_is_no_restart_of_the_board(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(attempts=2)
    bench.lens.open()
    bench.lens.move(30.0)
    handle = bench.board.handle

    def unheard(request: Request) -> bytes:
        handle(request)
        return b""

    monkeypatch.setattr(bench.board, "handle", unheard)
    with pytest.raises(DeviceTimeout, match=r"40\.000 V in 2 attempts"):
        bench.lens.move(40.0)
    assert bench.lens.describe()["position_in_force"] == 30.0
    monkeypatch.undo()
    assert bench.lens.read().position == quantised_volts(40.0)
    assert bench.lens.describe()["position_in_force"] == 40.0
    assert bench.lens.counts["restarts"] == 0
    bench.board.power_on()
    with pytest.raises(DeviceLost, match="restarted by itself"):
        bench.lens.read()


def test_a_voltage_that_never_reached_the_board_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(attempts=2)
    bench.lens.open()
    bench.lens.move(30.0)
    bench.link.spoil = iter([b"", b""])
    with pytest.raises(DeviceTimeout):
        bench.lens.move(40.0)
    assert bench.lens.read().position == quantised_volts(30.0)
    assert bench.lens.counts["restarts"] == 0


def test_attempts_are_bounded() -> None:
    bench = Bench(attempts=4)
    bench.lens.open()
    bench.link.requests.clear()
    bench.link.spoil = iter([WRITE_NACK] * 100)
    with pytest.raises(DeviceTimeout, match="4 attempts"):
        bench.lens.move(33.0)
    assert len(bench.link.requests) == 4


def test_a_board_that_stays_silent_is_lost() -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.spoil = iter([b""] * 100)
    with pytest.raises(DeviceTimeout):
        bench.lens.move(33.0)
    with pytest.raises(DeviceLost, match="silent for 2 commands"):
        bench.lens.move(34.0)


def test_a_board_that_refuses_everything_is_not_lost() -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.spoil = iter([WRITE_NACK] * 100)
    for _ in range(5):
        with pytest.raises(DeviceTimeout):
            bench.lens.move(33.0)


def test_a_board_that_restarts_is_noticed_and_brought_back() -> None:
    bench = Bench()
    bench.lens.open()
    bench.lens.move(49.0)
    bench.board.power_on()
    with pytest.raises(DeviceLost, match=r"no longer holds 49\.000 V"):
        bench.lens.read()
    reading = bench.lens.open()
    assert (bench.board.code, bench.board.mode) == (25_000, 0)
    assert reading.position == pytest.approx(49.0, abs=0.0223)
    assert reading.settle_s > 0


def test_one_stale_reply_does_not_pass_for_a_restart() -> None:
    bench = Bench()
    bench.lens.open()
    stale = bench.board.handle(RequestParser().feed(bytes.fromhex("02 38 00 04 3E"))[0])
    bench.lens.move(49.0)
    bench.link.spoil = iter([stale])
    assert bench.lens.read().position == pytest.approx(49.0, abs=0.0223)


def test_registers_beyond_70_volts_are_corrected_on_opening() -> None:
    bench = Bench(analog=False)
    bench.board._registers[0:2] = b"\xff\xff"  # the memory of a board that nobody ever set
    assert bench.lens.open().position == pytest.approx(69.9, abs=0.0223)
    assert bench.board.code == 46_000


def test_a_board_on_standby_is_woken() -> None:
    bench = Bench()
    bench.lens.open()
    bench.lens.move(40.0)
    bench.lens.close()
    assert bench.board.mode == 1
    assert bench.driven[-1] == 24.0
    assert bench.lens.open().position == pytest.approx(40.0, abs=0.0223)
    assert bench.board.mode == 0
    assert bench.driven[-1] == 40.0


def test_one_shot_tools_may_leave_the_lens_driven() -> None:
    bench = Bench(standby_on_close=False)
    bench.lens.open()
    bench.lens.move(40.0)
    bench.lens.close()
    bench.lens.close()
    assert bench.driven[-1] == 40.0
    assert bench.link.closed == 1


def test_closing_never_raises() -> None:
    bench = Bench()
    bench.lens.open()
    bench.link.spoil = iter([DeviceLost("gone")])
    bench.lens.close()
    assert bench.lens.counts["standby failed"] == 1
    with pytest.raises(DeviceLost, match="not open"):
        bench.lens.move(30.0)


def test_faults_are_named() -> None:
    bench = Bench()
    bench.lens.open()
    bench.board.set_faults(0b101)
    assert bench.lens.read().faults == ("overload", "thermal shutdown")
    assert bench.lens.move(30.0).faults == ("overload", "thermal shutdown")
    bench.board.set_faults(0b1000_0000)
    assert bench.lens.read().faults == ("fault bit 7",)
    bench.board.set_faults(0)
    assert bench.lens.read().faults == ()


def test_a_board_without_a_documented_mode_is_only_moved() -> None:
    bench = Bench(board="caspian")
    bench.lens.open()
    bench.lens.move(50.0)
    bench.lens.close()
    assert bench.board.code == 26_000
    assert bench.writes_to(3) == []
    assert bench.lens.describe()["firmware"] == "unknown"


def test_an_unknown_board_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="caspian, flexiboard"):
        Bench(board="toaster")


def test_what_does_not_speak_the_protocol_is_not_opened() -> None:
    bench = Bench()
    bench.link.spoil = iter([b"$GPRMC,12"] * 100)
    with pytest.raises(
        DeviceLost, match=r"does not answer as a Varioptic flexiboard board.*`board` parameter"
    ):
        bench.lens.open()
    assert bench.link.closed == 1


def test_a_version_that_cannot_be_read_is_no_obstacle() -> None:
    bench = Bench(analog=False)
    bench.link.spoil = iter([None, READ_NACK])
    bench.lens.open()
    assert bench.lens.describe()["firmware"] == "unknown"


operations = st.lists(
    st.one_of(
        st.floats(),
        st.floats(24.0, 70.0),
        st.sampled_from(["read", "close", "open", "brown-out"]),
    ),
    max_size=25,
)
spoilt_replies = st.lists(st.one_of(st.none(), st.binary(max_size=10), st.just(WRITE_ACK)), max_size=40)


@given(operations, spoilt_replies)
def test_whatever_happens_only_commanded_voltages_are_latched_and_the_eeprom_is_left_alone(
    steps: list[float | str], spoilt: list[bytes | None]
) -> None:
    bench = Bench(attempts=2)
    bench.link.spoil = iter(spoilt)
    commanded = {0}
    actions: dict[str, Callable[[], object]] = {
        "read": bench.lens.read,
        "close": bench.lens.close,
        "open": bench.lens.open,
        "brown-out": bench.board.power_on,
    }
    for step in ["open", *steps]:
        try:
            if isinstance(step, str):
                actions[step]()
            elif math.isfinite(step) and 24.0 <= step <= 70.0:
                commanded.add(round((step - 24.0) * 1000))
                reading = bench.lens.move(step)
                assert bench.board.code == round((step - 24.0) * 1000)
                assert bench.board.mode == 0
                assert abs(reading.position - min(max(step, 24.4), 69.9)) <= 0.0445
            else:
                with pytest.raises(OutOfRange):
                    bench.lens.move(step)
        except (DeviceLost, DeviceTimeout):
            continue
    # A spoilt reply may be a valid read reply by chance, and make `open` adopt what it says.
    assert set(bench.board.latched) <= commanded | {b for b in bench.board.latched if b in _readable(spoilt)}
    assert bench.writes_to(2) == []
    assert bench.board.stored == 0


def _readable(replies: list[bytes | None]) -> set[int]:
    return {int.from_bytes(r[2:4], "little") for r in replies if r is not None and len(r) == 7}
