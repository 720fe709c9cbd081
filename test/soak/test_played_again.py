"""A round that Fast DDS's own bug broke counts for nothing and is played again; any other one counts."""

from __future__ import annotations

from random import Random

import pytest

from dasha_ros.soak.graph import SoakError
from dasha_ros.soak.soak import Soak
from dasha_ros.soak.tally import Tally


class _Graph:
    """Stands for a graph: nothing real makes the middleware stop when it is asked to."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.stopped: list[str] = []
        self.worlds = 0
        self.soon: list[str] = []

    def until(self, condition, seconds: float):
        """Time passes: what happens soon has happened."""
        self.stopped += self.soon
        self.soon = []
        return condition()

    def until_active(self) -> None:
        """It always is."""

    def set_world(self, world) -> None:
        self.worlds += 1


def _soak(tally: Tally) -> tuple[Soak, _Graph, list[str]]:
    graph, said = _Graph(), []
    return Soak(graph, tally, Random(1), said.append, disk=None, clock=None), graph, said


def test_a_round_broken_by_a_stop_of_the_middleware_is_played_again() -> None:
    tally = Tally(goals=3, broken=["before"])
    soak, graph, said = _soak(tally)
    plays = []

    def disturb(soak: Soak) -> None:
        soak.tally.goals += 1
        plays.append(len(plays))
        if len(plays) < 3:
            soak.breaks("no answer")
            graph.soon.append("low_level_agent")

    soak.play("burst", disturb)
    assert soak.tally is tally
    assert len(plays) == 3
    assert tally.broken == ["before"]
    assert (tally.goals, tally.rounds) == (4, {"burst": 1})
    assert tally.middleware_stops == 2
    assert tally.played_again == ["burst", "burst"]
    assert graph.worlds == 2, "a twin that was started again shows another world"
    assert sum("played again" in line for line in said) == 2
    rows = {name: count for name, count, _ in tally.table()}
    assert rows["processes that ended because Fast DDS stopped"] == "2"


def test_a_middleware_that_always_stops_breaks_the_promise() -> None:
    soak, graph, _ = _soak(tally := Tally())

    def disturb(soak: Soak) -> None:
        soak.breaks("no answer")
        graph.stopped.append("perception")

    soak.play("burst", disturb)
    assert tally.broken == ["no answer"]
    assert tally.played_again == ["burst"] * 3
    assert tally.middleware_stops == 4


def test_a_round_that_breaks_a_promise_counts() -> None:
    soak, _, _ = _soak(tally := Tally())
    soak.play("burst", lambda soak: soak.breaks("no answer"))
    assert tally.broken == ["no answer"]
    assert tally.rounds == {"burst": 1}
    assert not tally.played_again


def test_a_lost_process_breaks_a_promise_whatever_its_goal_said() -> None:
    soak, graph, _ = _soak(tally := Tally())
    soak.play("burst", lambda soak: graph.lost.append("perception ended"))
    assert tally.broken == ["during burst: perception ended"]
    assert tally.processes_lost == 1


@pytest.mark.parametrize("what", ["stale_successes", "processes_lost"])
def test_no_stop_explains_a_stale_success_or_a_lost_process(what: str) -> None:
    soak, graph, _ = _soak(tally := Tally())

    def disturb(soak: Soak) -> None:
        graph.stopped.append("perception")
        if what == "processes_lost":
            graph.lost.append("camera_driver ended")
        else:
            tally.stale_successes += 1
            soak.breaks("found what was gone")

    soak.play("burst", disturb)
    assert not tally.played_again
    assert len(tally.broken) == getattr(tally, what) == tally.middleware_stops == 1


def test_a_stop_that_breaks_nothing_is_told_and_the_round_counts() -> None:
    soak, graph, _ = _soak(tally := Tally())
    soak.play("burst", lambda soak: graph.stopped.append("perception"))
    assert (tally.middleware_stops, tally.rounds, tally.played_again) == (1, {"burst": 1}, [])


def test_a_soak_that_can_not_continue_ends_but_for_such_a_stop() -> None:
    soak, graph, _ = _soak(tally := Tally())

    def disturb(soak: Soak) -> None:
        if not tally.played_again:
            graph.soon.append("twin_world")
            raise SoakError("twin_world does not answer")

    soak.play("burst", disturb)
    assert tally.played_again == ["burst"]

    def never(soak: Soak) -> None:
        raise SoakError("twin_world does not answer")

    with pytest.raises(SoakError, match="does not answer"):
        soak.play("burst", never)
