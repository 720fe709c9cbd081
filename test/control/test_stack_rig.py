"""Focal stacks as a rig: what is remembered is what would be seen, and every percept answers its command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stack_maker import squares_stack

from dasha_ros.control.stack_rig import StackRig
from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.stack.description import load_stack
from dasha_ros.perception.pipeline import Perception


@pytest.fixture(scope="module")
def perception() -> Perception:
    return Perception("efficientnet_lite0_early")


class Counted:
    """Perception that counts what it reads."""

    def __init__(self, perception: Perception) -> None:
        self._perception, self.read = perception, 0

    def perceive(self, *frame, **more):
        self.read += 1
        return self._perception.perceive(*frame, **more)


def test_a_picture_is_read_once_and_stays_the_same(tmp_path: Path, perception: Perception) -> None:
    stack = load_stack(squares_stack(tmp_path, frames=4, size=(160, 120)))
    counted = Counted(perception)
    rig = StackRig(counted, stack)  # type: ignore[arg-type]
    way = [
        rig.observe(),
        rig.move(2.0),
        rig.move(0.0),
        rig.move(2.0),
        rig.expose(20_000.0),
        rig.expose(10_000.0),
    ]
    assert counted.read == 3
    fresh = StackRig(perception, stack, position=2.0)
    for again in (way[3], way[5], fresh.observe()):
        assert np.array_equal(again.latent, way[1].latent)
        assert (again.sharpness, again.brisque) == (way[1].sharpness, way[1].brisque)
    assert way[2].sharpness == way[0].sharpness != way[1].sharpness
    assert way[4].mean_grey == pytest.approx(2.0 * way[1].mean_grey, rel=0.3)
    assert not np.array_equal(
        StackRig(perception, stack, position=2.0, seed=1).observe().latent, way[1].latent
    )


def test_every_percept_answers_the_newest_command_and_costs_the_same(
    tmp_path: Path, perception: Perception
) -> None:
    rig = StackRig(perception, load_stack(squares_stack(tmp_path, frames=4)))
    for round_ in range(2):
        rig.place(1.0, 10_000.0)
        percepts = [rig.observe(), rig.move(3.0), rig.expose(30_000.0)]
        assert [p.lens.commanded_position for p in percepts] == [1.0, 3.0, 3.0]
        assert [p.capture.exposure_us for p in percepts] == [10_000.0, 10_000.0, 30_000.0]
        assert percepts[1].lens.command.sequence < percepts[2].capture.exposure_command.sequence
        assert percepts[1].capture.stamp_ns >= percepts[1].lens.settled_at_ns
        costs = rig.usage.frames, rig.usage.moves, rig.usage.exposures, round(rig.usage.seconds, 6)
        if round_ == 0:
            first = costs
    assert costs == first


def test_what_can_not_be_is_refused(tmp_path: Path, perception: Perception) -> None:
    rig = StackRig(perception, load_stack(squares_stack(tmp_path)))
    with pytest.raises(OutOfRange, match=r"from 0.0 to 2.0 frame"):
        rig.place(7.0, 10_000.0)
    with pytest.raises(OutOfRange, match="us refused"):
        rig.place(1.0, 1.0)
