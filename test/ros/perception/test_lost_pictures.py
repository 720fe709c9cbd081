"""Pictures that get lost on their way to perception are noticed, and nothing else is taken for that."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.perception.lost_pictures import SENTENCE, LostPictures


class Way:
    """From the camera driver to perception, with a clock of its own."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.pictures = LostPictures(lambda: self.now_ns)

    def send(self, seconds: float, count: int, arrives: int = 0) -> list[bool]:
        """Send ``count`` pictures, one each ``seconds``; every ``arrives``-th comes, none if it is zero."""
        changes = []
        for number in range(count):
            self.now_ns += round(seconds * 1e9)
            changes.append(self.pictures.told())
            if arrives and number % arrives == arrives - 1:
                self.pictures.came()
        return changes

    @property
    def sentence(self) -> str:
        condition = self.pictures.condition()
        return "" if condition is None else condition.sentence


def test_pictures_that_do_not_come_are_told_once_and_no_more_when_they_come_again() -> None:
    way = Way()
    assert way.send(0.5, 20, arrives=1).count(True) == 0
    assert way.sentence == ""
    assert way.send(0.5, 20).count(True) == 1
    assert way.sentence == SENTENCE
    assert way.send(0.5, 20, arrives=1).count(True) == 1
    assert way.sentence == ""


@pytest.mark.parametrize(("seconds", "arrives"), [(0.5, 3), (0.03, 100)])
def test_most_are_lost(seconds: float, arrives: int) -> None:
    way = Way()
    assert way.send(seconds, 400, arrives).count(True) == 1
    assert way.sentence == SENTENCE


@pytest.mark.parametrize(
    ("seconds", "count", "arrives"),
    [
        # A busy node takes the newest of a fast stream.
        (0.01, 2000, 25),
        (0.5, 5, 0),
        (0.5, 100, 1),
        (0.2, 100, 2),
    ],
)
def test_what_is_no_loss_is_not_told(seconds: float, count: int, arrives: int) -> None:
    way = Way()
    assert True not in way.send(seconds, count, arrives)
    assert way.sentence == ""
