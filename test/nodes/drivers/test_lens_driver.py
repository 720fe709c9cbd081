"""The lens driver when its lens fails, is closed and is opened again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from in_process import Ears, in_process
from ros_harness import PATIENCE_S, command

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.devices.fake.fake import FakeLens
from dasha_ros.freshness.command import CommandId
from dasha_ros.ros.driver_nodes.commands import Order

pytestmark = pytest.mark.graph


class Bench:
    """An active driver with a fake lens, and all states that it published."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.states = Ears()
        driver.configure()
        driver.destroy_publisher(driver._job.state_publisher)
        driver._job.state_publisher = self.states
        self.lens: FakeLens = driver._lens

    def activate(self) -> None:
        self.driver.is_active = True
        self.driver.activate()
        self.states.until(lambda state: state.settled, "the lens to rest")

    def deactivate(self) -> None:
        self.driver.is_active = False
        self.driver.deactivate()

    def command(self, position: float) -> None:
        from dasha_ros import msg

        self.driver._on_command(command(msg.LensCommand, position=position))

    def move(self, position: float) -> None:
        self.command(position)
        self.states.until(
            lambda state: state.settled and state.commanded_position == position, f"{position} V"
        )


@pytest.fixture
def bench(ros_env: dict[str, str]) -> Iterator[Bench]:
    from dasha_ros.nodes import lens_driver

    with in_process(lens_driver, "LensDriver", lambda config, clock, node: FakeLens(clock)) as driver:
        made = Bench(driver)
        made.activate()
        yield made


@pytest.mark.parametrize(
    ("error", "times"),
    [(DeviceLost("cable pulled"), 1), (DeviceTimeout("no answer"), 4), (DeviceError("odd reply"), 1)],
)
def test_a_command_that_failed_is_obeyed_when_the_lens_works_again(
    bench: Bench, error: DeviceError, times: int
) -> None:
    # It may be the last command of a search; without it the lens would stay where the search left it.
    bench.move(40.0)
    bench.lens.moves.clear()
    bench.lens.failures.fail_next("move", error, times)
    bench.move(50.0)
    assert bench.lens.moves == [50.0]


def test_a_newer_command_replaces_the_one_that_failed(bench: Bench) -> None:
    bench.move(40.0)

    original = bench.lens.move

    def move(position: float) -> Any:
        bench.lens.move = original  # type: ignore[method-assign]
        bench.command(60.0)
        raise DeviceLost("gone")

    bench.lens.moves.clear()
    bench.lens.move = move  # type: ignore[method-assign]
    bench.command(50.0)
    bench.states.until(lambda state: state.settled and state.commanded_position == 60.0, "60 V")
    assert bench.lens.moves == [60.0]


def test_a_lost_lens_is_not_settled_and_says_why(bench: Bench) -> None:
    bench.lens.failures.unplug()
    told = bench.states.until(lambda state: list(state.faults), "the fault")
    assert not told.settled
    assert "gone" in told.faults[0]


def test_a_closed_lens_says_so_until_it_is_opened_again(bench: Bench) -> None:
    bench.move(40.0)
    bench.deactivate()
    told = bench.states.heard[-1]
    assert (told.settled, list(told.faults), told.commanded_position) == (False, ["not active"], 40.0)
    bench.states.heard.clear()
    bench.activate()
    assert all(not list(state.faults) for state in bench.states.heard)


def test_a_command_from_before_the_lens_was_closed_moves_nothing(bench: Bench) -> None:
    bench.move(40.0)
    bench.deactivate()
    # As if the command had been admitted just before the worker ended.
    bench.driver._job.obey(Order(CommandId("the test", 1000), 60.0))
    bench.lens.moves.clear()
    bench.states.heard.clear()
    bench.activate()
    assert bench.lens.moves == [40.0]


def test_a_repeated_command_is_refused_until_the_driver_is_configured_again(bench: Bench) -> None:
    from dasha_ros import msg

    once = command(msg.LensCommand, position=50.0)
    bench.driver._on_command(once)
    bench.driver._on_command(once)
    bench.states.until(lambda state: "came before it" in state.last_refusal, "the refusal")
    bench.deactivate()
    bench.driver.cleanup()
    again = Bench(bench.driver)
    again.activate()
    bench.driver._on_command(once)
    again.states.until(lambda state: state.settled and state.commanded_position == 50.0, "50 V")
    assert (again.driver._commands.gate.admitted, again.driver._commands.gate.refused) == (1, 0)


def owned(position: float, owner: str = "/dasha/focus_server") -> Any:
    from dasha_ros import msg

    return command(msg.LensCommand, position=position, owner=owner)


def test_a_goal_in_progress_is_undone_before_the_lens_is_closed(bench: Bench) -> None:
    bench.move(40.0)
    bench.driver._on_command(owned(50.0))
    bench.states.until(lambda state: state.commanded_position == 50.0, "50 V")
    bench.lens.failures.fail_next("move", DeviceTimeout("no answer"), 2)
    bench.deactivate()
    assert bench.lens.moves[-1] == 40.0
    told = bench.states.heard[-1]
    assert (told.commanded_position, list(told.faults)) == (40.0, ["not active"])
    assert told.command.sender == told.driver, "nobody else commanded it"


def test_a_lens_that_could_not_be_restored_is_restored_when_it_works_again(bench: Bench) -> None:
    bench.move(40.0)
    bench.driver._on_command(owned(50.0))
    bench.states.until(lambda state: state.commanded_position == 50.0, "50 V")
    bench.lens.failures.unplug()
    bench.deactivate()
    bench.lens.failures.plug()
    bench.lens.moves.clear()
    bench.activate()
    assert bench.lens.moves == [40.0]


def test_a_confirmed_goal_stays_and_nothing_moves(bench: Bench) -> None:
    bench.move(40.0)
    bench.driver._on_command(owned(50.0))
    bench.states.until(lambda state: state.settled and state.commanded_position == 50.0, "50 V")
    bench.lens.moves.clear()
    move = bench.states.heard[-1].move
    confirm = owned(50.0, owner="")
    bench.driver._on_command(confirm)
    told = bench.states.until(lambda state: state.command == confirm.id, "the confirmation")
    assert (bench.lens.moves, told.move, told.settled) == ([], move, True)
    bench.deactivate()
    assert bench.lens.moves == []
    assert bench.states.heard[-1].commanded_position == 50.0


def test_a_goal_whose_owner_is_not_in_the_graph_is_undone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dasha_ros.freshness import restorable

    monkeypatch.setattr(restorable, "DISCOVERY_S", 0.0)
    bench.move(40.0)
    bench.driver._on_command(owned(50.0))
    bench.states.until(lambda state: state.commanded_position == 50.0, "50 V")
    told = bench.states.until(
        lambda state: state.commanded_position == 40.0 and state.command.sender == state.driver, "40 V again"
    )
    assert not list(told.faults)


def test_every_state_has_a_number_and_names_the_move(bench: Bench) -> None:
    bench.move(40.0)
    bench.move(41.0)
    heard = list(bench.states.heard)
    assert [state.sequence for state in heard] == sorted({state.sequence for state in heard})
    assert [state.move for state in heard] == [1, 2, 2, 3, 3]
    assert [state.settled for state in heard] == [True, False, True, False, True]
    assert len({state.driver for state in bench.states.heard}) == 1


def test_the_newest_state_is_published_last(bench: Bench) -> None:
    # It stays latched. The subscriber publishes a refusal while the worker publishes a move.
    from dasha_ros import msg

    bench.move(40.0)
    newer = replace(bench.driver._job.state, commanded_position=50.0)
    worker = threading.Thread(target=bench.driver._job.publish, args=(newer,))
    told: list[float] = []

    class Slow:
        """Give the worker time to publish its move before the refusal, unless something stops it."""

        event_handlers = ()

        def publish(self, state: Any) -> None:
            if not worker.ident:
                worker.start()
                worker.join(1.0)
            told.append(state.commanded_position)

    bench.driver._job.state_publisher = Slow()
    bench.driver._on_command(command(msg.LensCommand, position=1000.0))
    worker.join()
    assert told == [40.0, 50.0]


def test_a_hanging_lens_is_not_closed_and_the_driver_keeps_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dasha_ros.ros.driver_nodes import device_worker

    monkeypatch.setattr(device_worker.shutdown_limits, "DRIVER_STOPS_S", 0.01)
    hangs, goes_on = threading.Event(), threading.Event()

    def move(position: float) -> Any:
        hangs.set()
        goes_on.wait()
        raise DeviceTimeout("after all")

    bench.lens.move = move  # type: ignore[method-assign]
    bench.command(50.0)
    assert hangs.wait(PATIENCE_S)
    for leave in (bench.driver.deactivate, bench.driver._leave):
        with pytest.raises(DeviceTimeout, match="still open"):
            leave()
        assert "still open" in bench.states.heard[-1].faults[0]
        assert not bench.states.heard[-1].settled
    assert bench.driver._lens is bench.lens
    assert bench.driver._worker is not None
    goes_on.set()
    monkeypatch.setattr(device_worker.shutdown_limits, "DRIVER_STOPS_S", PATIENCE_S)
    bench.driver.deactivate()
    assert bench.driver._worker is None


def test_a_fault_found_on_opening_is_reported_and_no_move_clears_it(
    ros_env: dict[str, str],
) -> None:
    from dasha_ros.nodes import lens_driver
    from dasha_ros.ros.node.condition import Level

    def hot(config: Any, clock: Any, node: Any) -> FakeLens:
        lens = FakeLens(clock)
        lens.faults = ("thermal shutdown",)
        return lens

    with in_process(lens_driver, "LensDriver", hot) as driver:
        bench = Bench(driver)
        bench.activate()
        hot_lens = (Level.ERROR, "the lens reports thermal shutdown")
        assert driver.health.status() == hot_lens
        bench.move(40.0)
        assert driver.health.status() == hot_lens
        assert driver.health.values()["lens_position"] == pytest.approx(40.0, abs=0.1)
        assert driver.health.values()["hardware_id"] == "fake lens"
        bench.lens.faults = ()
        bench.move(41.0)
        assert driver.health.status().level == Level.OK
        # The fault is also reported with a move.
        bench.lens.faults = ("overload",)
        bench.move(42.0)
        assert driver.health.status() == (Level.ERROR, "the lens reports overload")
        bench.deactivate()
        assert "overload" not in driver.health.status().sentence
