"""The thread that owns a device: when the device counts as lost, and how it is reopened. No time passes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from chart import Chart

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, FrameIncomplete
from dasha_ros.ros.driver_nodes import device_worker
from dasha_ros.ros.driver_nodes.device_worker import BACK_OFF_S, ERRORS_IN_A_ROW, DeviceWorker
from dasha_ros.ros.node.condition import Condition, Level


class Diary(Chart):
    """Health that keeps every status of the device with the facts at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Condition] = []
        self.set_activity("open")

    def update(self) -> None:
        super().update()
        self.told.append(self.status())

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._counts)


class Pauses:
    """Stands in for the event that ends the worker, and records the waits."""

    def __init__(self) -> None:
        self.ended = False
        self.seconds: list[float] = []

    def is_set(self) -> bool:
        return self.ended

    def set(self) -> None:
        self.ended = True

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Script:
    """A job with scripted events; then the worker ends."""

    def __init__(
        self, opens: Sequence[Exception | None] = (), works: Sequence[BaseException | bool] = ()
    ) -> None:
        self._opens, self._works = list(opens), list(works)
        self.health, self.pauses = Diary(), Pauses()
        self.losses: list[str] = []
        self.left: list[int] = []
        """Number of closes before each call of `leave`."""
        self.closed = self.worked = 0

    def play(self) -> Script:
        worker = DeviceWorker("device", self, self.health, lambda: None)
        worker._stop = self.pauses
        worker._run()
        return self

    def open(self) -> None:
        happens = self._opens.pop(0) if self._opens else None
        if happens is not None:
            raise happens

    def work(self) -> bool:
        if not self._works:
            self.pauses.set()
            return False
        self.worked += 1
        happens = self._works.pop(0)
        if isinstance(happens, BaseException):
            raise happens
        return happens

    def facts(self) -> dict[str, object]:
        return {"worked": self.worked}

    def lost(self, reason: str) -> None:
        self.losses.append(reason)

    def leave(self) -> None:
        self.left.append(self.closed)

    def close(self) -> None:
        self.closed += 1


def test_during_a_long_absence_the_attempts_back_off() -> None:
    # About ten seconds: the device returns after the eighth attempt.
    gone = Script(opens=[DeviceLost(f"attempt {n}") for n in range(8)]).play()
    assert gone.pauses.seconds == [*BACK_OFF_S, *[BACK_OFF_S[-1]] * 3]
    assert sum(gone.pauses.seconds) == pytest.approx(9.8)
    assert gone.health.told[1:3] == [
        (Level.ERROR, "attempt 0 (trying again)"),
        (Level.ERROR, "attempt 1 (trying again)"),
    ]
    assert gone.health.told[-1] == (Level.OK, "open")
    assert gone.losses == [f"attempt {n}" for n in range(8)]
    assert gone.health.counts == {"device_losses": 8}
    assert gone.closed == 9  # after each loss, and at the end
    assert gone.left == [8]  # before the end, while it is open


def test_a_device_that_is_absent_at_the_end_is_not_restored() -> None:
    class Absent(Script):
        def lost(self, reason: str) -> None:
            super().lost(reason)
            self.pauses.set()

    absent = Absent(opens=[DeviceLost("never there")]).play()
    assert (absent.left, absent.losses) == ([], ["never there"])


def test_a_short_absence_ends_at_once_however_long_the_last_one_was() -> None:
    gone = DeviceLost("gone")
    twice = Script(opens=[None, gone, gone, gone, None, None], works=[gone, True, gone, True]).play()
    assert twice.pauses.seconds == [*BACK_OFF_S[:4], BACK_OFF_S[0]]
    assert twice.health.told[-1] == (Level.OK, "open")


def test_attempts_back_off_for_a_device_that_opens_but_never_works() -> None:
    useless = Script(works=[DeviceLost("silent")] * 4).play()
    assert useless.pauses.seconds == list(BACK_OFF_S[:4])


def test_a_damaged_frame_is_counted_and_forgotten_with_the_next_whole_one() -> None:
    damaged = Script(works=[True, FrameIncomplete("damaged"), False, True]).play()
    assert [level for level, _ in damaged.health.told] == [
        Level.OK,
        Level.WARN,
        Level.OK,
    ]
    assert damaged.health.counts == {"device_errors": 1}
    assert damaged.health.values()["worked"] == 2  # what the device counts is told at once
    assert damaged.losses == []


@pytest.mark.parametrize("error", [FrameIncomplete("damaged"), DeviceTimeout("late"), DeviceError("no")])
def test_only_errors_in_a_row_are_a_loss(error: DeviceError) -> None:
    few = Script(works=[*[error] * (ERRORS_IN_A_ROW - 1), True] * 2).play()
    assert few.losses == []
    many = Script(works=[error] * ERRORS_IN_A_ROW + [True]).play()
    assert many.losses == [f"{error} ({ERRORS_IN_A_ROW} errors in a row: reopening it)"]
    assert many.pauses.seconds == [BACK_OFF_S[0]]
    assert many.health.told[-1] == (Level.OK, "open")


def test_an_error_that_the_job_reports_stays() -> None:
    # A lens that reports an overload works, but has a fault.
    class Overloaded(Script):
        def work(self) -> bool:
            worked = super().work()
            if worked:
                self.health.error("faults", "overload")
            return worked

    overloaded = Overloaded(works=[DeviceTimeout("late"), True]).play()
    assert overloaded.health.told[-1] == (Level.ERROR, "overload")


def test_a_bug_in_a_driver_ends_no_thread() -> None:
    buggy = Script(works=[ZeroDivisionError("bug"), True]).play()
    assert buggy.health.counts == {"internal_errors": 1, "device_losses": 1}
    assert buggy.health.told[-1] == (Level.OK, "open")


def test_a_driver_that_ends_like_a_script_ends_no_thread() -> None:
    exits = Script(works=[SystemExit(3), True]).play()
    assert exits.losses == ["SystemExit: 3"]
    assert exits.health.told[-1] == (Level.OK, "open")


def test_an_error_of_python_is_told_with_its_type() -> None:
    errors = [KeyError(3), DeviceLost("gone"), AttributeError("no attribute\nand more"), DeviceLost()]
    told = ["KeyError: 3", "gone", "AttributeError: no attribute", "DeviceLost: DeviceLost"]
    assert Script(opens=errors).play().losses == told


def test_a_job_that_fails_while_it_reports_a_loss_ends_no_thread() -> None:
    class Speechless(Script):
        def lost(self, reason: str) -> None:
            super().lost(reason)
            raise ZeroDivisionError("nobody to tell")

        def close(self) -> None:
            super().close()
            raise OSError("nothing to close")

    speechless = Speechless(works=[DeviceLost("gone"), True]).play()
    assert speechless.health.told[-1] == (Level.OK, "open")
    assert (speechless.losses, speechless.closed, speechless.worked) == (["gone"], 2, 2)
    assert speechless.health.counts == {"device_losses": 1, "internal_errors": 3}


def test_facts_that_can_not_be_read_are_not_a_loss() -> None:
    class Secretive(Script):
        def facts(self) -> dict[str, object]:
            raise DeviceError("no answer")

    secretive = Secretive(works=[FrameIncomplete("damaged"), True]).play()
    assert secretive.losses == []
    assert secretive.worked == 2
    assert secretive.health.counts == {"device_errors": 1, "internal_errors": 2}


def test_the_diagnostics_tell_whether_the_device_was_opened() -> None:
    states: list[str] = []

    class Telling(Script):
        def open(self) -> None:
            states.append(self.health.values()["device"])
            super().open()

        def work(self) -> bool:
            states.append(self.health.values()["device"])
            return super().work()

    telling = Telling(opens=[DeviceError("no such device")]).play()
    assert states == ["opening", "lost", "open"]
    assert telling.health.values()["device"] == "closed"


def test_a_call_that_does_not_return_is_reported_and_can_be_awaited_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    class Stuck(Script):
        def work(self) -> bool:
            hangs.set()
            goes_on.wait()
            return True

    stuck = Stuck()
    worker = DeviceWorker("device", stuck, stuck.health, lambda: None)
    worker.start()
    assert hangs.wait(20.0)
    monkeypatch.setattr(device_worker.shutdown_limits, "DRIVER_STOPS_S", 0.01)
    with pytest.raises(DeviceTimeout, match="device has not returned"):
        worker.stop()
    assert stuck.closed == 0
    goes_on.set()
    monkeypatch.setattr(device_worker.shutdown_limits, "DRIVER_STOPS_S", 20.0)
    worker.stop()
    assert stuck.closed == 1
