"""Pictures that do not arrive at perception are noticed, and nothing else is taken for that."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.perception.lost_pictures import SENTENCE, LostPictures


class Way:
    """From the camera driver to perception, with a clock of its own."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.pictures = LostPictures(lambda: self.now_ns)
        self.alarms = 0
        """How often the sentence stood there after a picture was made."""

    def send(self, seconds: float, count: int, arrives: int = 0, late: int = 0) -> None:
        """Send ``count`` pictures, one each ``seconds``.

        Every ``arrives``-th comes, none if it is zero, and so many words later than the word of it.
        """
        for number in range(count):
            self.now_ns += round(seconds * 1e9)
            self.pictures.told()
            if arrives and (number - late) % arrives == arrives - 1:
                self.pictures.came()
            self.alarms += bool(self.sentence)

    @property
    def sentence(self) -> str:
        condition = self.pictures.condition()
        return "" if condition is None else condition.sentence


@pytest.mark.parametrize("seconds", [0.03, 0.5, 2.0])
def test_pictures_that_do_not_come_are_told_until_one_comes(seconds: float) -> None:
    way = Way()
    way.send(seconds, 20, arrives=1)
    assert way.alarms == 0
    way.send(seconds, 200)
    assert way.sentence == SENTENCE
    way.pictures.came()
    assert way.sentence == ""


def test_a_camera_that_takes_no_more_pictures_loses_none() -> None:
    way = Way()
    way.send(0.5, 20)
    assert way.sentence == SENTENCE
    way.now_ns += 10**10
    assert way.sentence == ""


@pytest.mark.parametrize(
    ("seconds", "count", "arrives"),
    [
        # A busy node takes the newest of a fast stream, or hears of another camera's pictures, too.
        (0.01, 2000, 25),
        (0.05, 2000, 20),
        (0.5, 6, 0),
        (0.5, 100, 1),
        (2.0, 100, 4),
        # Words that waited while a picture was read arrive all at once.
        (0.0, 1000, 0),
    ],
)
def test_what_is_no_loss_is_not_told(seconds: float, count: int, arrives: int) -> None:
    way = Way()
    way.send(seconds, count, arrives)
    assert way.alarms == 0


def test_the_order_does_not_matter() -> None:
    draw, way = random.Random(0), Way()
    for _ in range(10_000):
        way.now_ns += 10**9
        for event in draw.sample((way.pictures.told, way.pictures.came), 2):
            event()
        way.alarms += bool(way.sentence)
    assert way.alarms == 0
