"""What the lens's thread does with orders that come while the lens is on its way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from dasha_ros.devices.camera import never
from dasha_ros.devices.errors import DeviceError, DeviceTimeout, MoveOvertaken
from dasha_ros.devices.lens import LensReading
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.ros.driver_nodes.commands import Order
from dasha_ros.ros.driver_nodes.lens_job import LensJob


class SlowLens:
    """Goes where it is told, and stops half-way when it is overtaken."""

    info = LensInfo("steps", 0.0, 1000.0, settle_s=0.0)

    def __init__(self) -> None:
        self.at, self.asked, self.fails = 0.0, [], False
        self.on_the_way: Callable[[], object] = lambda: None
        self.overtaken = never

    def heed(self, overtaken: Callable[[], bool]) -> None:
        self.overtaken = overtaken

    def move(self, position: float) -> LensReading:
        self.asked.append(position)
        start, self.at = self.at, (self.at + position) / 2.0
        self.on_the_way()
        if self.overtaken():
            raise MoveOvertaken(f"stopped between {start} and {position}")
        if self.fails:
            raise DeviceTimeout("did not arrive")
        self.at = position
        return self.read()

    def read(self) -> LensReading:
        return LensReading(self.at, 0.0)

    def open(self) -> LensReading:
        return self.read()

    def describe(self) -> dict[str, Any]:
        return {}

    def close(self) -> None: ...


@pytest.fixture
def lens() -> SlowLens:
    return SlowLens()


@pytest.fixture
def job(lens: SlowLens) -> LensJob:
    counts: Counter[str] = Counter()
    clock = SimpleNamespace(now_ns=lambda: 0, is_simulated=False)
    node = SimpleNamespace(
        health=SimpleNamespace(count=lambda name: counts.update([name]), counts=counts, update=lambda: None),
        context=SimpleNamespace(ok=lambda: False),
        config=SimpleNamespace(settle_ms=0.0),
        clock=clock,
        steady=ManualClock(),
        instance=0,
    )
    commands = SimpleNamespace(
        gate=SimpleNamespace(limit=lambda *_: None, beyond=lambda _: ""),
        found=lambda _: None,
        restore_if_abandoned=lambda: None,
    )
    job = LensJob(node)  # type: ignore[arg-type]
    job.set_up(lens, commands, None, None)  # type: ignore[arg-type]
    job.open()
    return job


def order(number: int, position: float, *, confirms: bool = False) -> Order:
    return Order(CommandId(1, number), position, confirms)


def test_a_newer_order_stops_the_move_and_is_carried_out_next(job: LensJob, lens: SlowLens) -> None:
    lens.on_the_way = lambda: job.obey(order(2, 100.0)) if len(lens.asked) == 1 else None
    job.obey(order(1, 800.0))
    assert job.work()
    assert lens.at == 400.0
    assert job.state.command != CommandId(1, 1)  # it never got there
    assert job.work()
    assert (lens.at, lens.asked, job.state.command) == (100.0, [800.0, 100.0], CommandId(1, 2))
    assert job._node.health.counts["moves_overtaken"] == 1


@pytest.mark.parametrize(("high", "goes"), [(1000.0, True), (800.0, True), (500.0, False)])
@pytest.mark.parametrize("too_far", [False, True], ids=["", "and a withdrawn command"])
def test_a_lens_that_comes_back_with_another_range_stays_inside(
    job: LensJob, lens: SlowLens, high: float, goes: bool, too_far: bool
) -> None:
    job._commands.gate = CommandGate("lens position", "steps", 0.0, 2000.0)
    job.obey(order(1, 800.0))
    job.work()
    job.lost("its range has changed")
    if too_far:
        job.obey(order(2, 1500.0))
    lens.info, lens.at = replace(lens.info, position_max=high), 300.0
    job.open()
    there = 800.0 if goes else 300.0
    assert lens.asked == [800.0, 800.0][: 1 + goes]
    assert job.state.command == (CommandId(1, 1) if goes else NO_COMMAND)
    assert (job.state.commanded_position, job.position, lens.at) == (there, there, there)
    job.obey(order(3, 400.0))
    job.work()
    assert lens.at == 400.0


def test_the_way_back_is_gone_although_the_lens_was_commanded_there_before(
    job: LensJob, lens: SlowLens
) -> None:
    job.obey(order(1, 600.0))
    job.work()
    # A cancelled goal restores the position from which the interrupted move had begun.
    lens.on_the_way = lambda: job.obey(order(3, 600.0, confirms=True)) if lens.asked[-1] == 0.0 else None
    job.obey(order(2, 0.0))
    job.work()
    assert lens.at == 300.0
    job.work()
    assert (lens.at, job.state.command) == (600.0, CommandId(1, 3))


def test_the_same_after_a_move_that_failed_half_way(job: LensJob, lens: SlowLens) -> None:
    job.obey(order(1, 600.0))
    job.work()
    lens.fails = True
    job.obey(order(2, 0.0))
    with pytest.raises(DeviceTimeout):
        job.work()
    lens.fails = False
    job.obey(order(3, 600.0, confirms=True))
    job.work()
    assert lens.at == 600.0


def test_an_order_to_the_same_place_stops_nothing(job: LensJob, lens: SlowLens) -> None:
    lens.on_the_way = lambda: job.obey(order(2, 800.0, confirms=True)) if len(lens.asked) == 1 else None
    job.obey(order(1, 800.0))
    job.work()
    job.work()
    assert (lens.at, lens.asked, job.state.command) == (800.0, [800.0], CommandId(1, 2))


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (None, "returned None, not a LensReading"),
        ((3.0, 0.0), r"returned \(3.0, 0.0\), not a LensReading"),
        (LensReading(math.nan, 0.0), "position is nan; it must be a number"),
        (LensReading("45", 0.0), "position is '45'; it must be a number"),  # type: ignore[arg-type]
        (LensReading(3.0, math.nan), "settle_s is nan; it must be a number from 0 to 60"),
        (LensReading(3.0, -1.0), "settle_s is -1.0; it must be a number from 0 to 60"),
        (LensReading(3.0, 70.0), "settle_s is 70.0"),
        (LensReading(3.0, 0.0, None), "faults is None; it must be a tuple of texts"),  # type: ignore[arg-type]
        (LensReading(3.0, 0.0, "hot"), "faults is 'hot'; it must be a tuple"),  # type: ignore[arg-type]
    ],
)
def test_a_reading_that_is_none_is_an_error_of_the_device(
    job: LensJob, lens: SlowLens, reading: Any, says: str
) -> None:
    lens.read = lambda: reading  # type: ignore[method-assign]
    for work in (job.open, job._look_for_faults, lambda: (job.obey(order(1, 3.0)), job.work())):
        with pytest.raises(DeviceError, match=says):
            work()
    assert job.state.position == 0.0


def test_numbers_of_other_libraries_become_pythons(job: LensJob, lens: SlowLens) -> None:
    for position in (np.float32(3.5), np.array(3.5)):
        given: Any = position, np.int64(1), ["hot"]
        lens.read = lambda given=given: LensReading(*given)  # type: ignore[method-assign, misc]
        job.open()
        assert (type(job.state.position), job.state.position, job.state.faults) == (float, 3.5, ("hot",))
