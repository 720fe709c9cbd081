"""How learned networks decide when they are deployed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.config import HighLevelAgentConfig
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.deployed import (
    EVIDENCE,
    GIVE_UP,
    MOST_MOVES,
    PLANNED_SEARCH,
    REFUTED,
    SURE,
    ExposureBounds,
    as_deployed,
    focus_moves,
)
from dasha_ros.policies.moves import MoveLog

LENS = lens_model()
STAY = 0.2
STAY_DIOPTRES = 0.062
"""0.2 V of this lens."""


class Wishes:
    """A network and an encoder: it wants to go to these places, one after the other, best first."""

    def __init__(
        self,
        *position: float,
        sharp: float = np.nan,
        look: float = 0.0,
        focus: float = 1.0,
        search: float | None = None,
    ) -> None:
        """Wishes, and what the pictures say.

        Args:
            *position: Where it wants to go.
            sharp: Probability that the object is sharp here, by its own detail.
            look: Where to look for more evidence.
            focus: Probability that here is the focus, by everything that was seen.
            search: Where a plan would search; ``None``: it knows nothing better than here.
        """
        self._search = search
        self._position = np.array(position)
        self._sharp, self._look, self._focus = sharp, look, focus

    def ranked(self, observation: object, rng: object) -> np.ndarray:
        return np.arange(len(self._position))[None, :]

    def observation(self, log: MoveLog) -> None:
        return None

    def position(self, actions: np.ndarray, log: MoveLog) -> np.ndarray:
        return self._position[actions]

    def focus_probability(self, log: MoveLog) -> np.ndarray:
        return np.array([self._focus])

    def sharp_probability(self, log: MoveLog) -> np.ndarray:
        return np.array([self._sharp])

    def is_far(self, position: np.ndarray, log: MoveLog) -> np.ndarray:
        return np.abs(position - log.position) > 1.0

    def sharpest(self, log: MoveLog) -> np.ndarray:
        return np.array([self._look])

    next_look = sharpest

    def search(self, log: MoveLog) -> np.ndarray:
        return log.position if self._search is None else np.array([self._search])


def decide(wishes: Wishes, log: MoveLog, *, detected: bool) -> tuple[float, bool]:
    position, stop = focus_moves(wishes, wishes, log, np.array([detected]))  # type: ignore[arg-type]
    return float(position[0]), bool(stop[0])


def been_at(*position: float) -> MoveLog:
    log = MoveLog(LENS, 1, STAY_DIOPTRES)
    log.reset(np.zeros(1, np.intp), np.array([position[0]]))
    for place in position[1:]:
        log.go(np.array([place]))
    return log


def test_it_goes_where_the_network_wants() -> None:
    assert decide(Wishes(45.0, 50.0), been_at(40.0), detected=False) == (45.0, False)


def test_it_rests_where_the_object_is_seen_and_the_network_wants_to_stay() -> None:
    assert decide(Wishes(40.1, 50.0), been_at(40.0), detected=True) == (40.0, True)


def test_standing_still_finds_nothing() -> None:
    assert decide(Wishes(40.1, 50.0), been_at(40.0), detected=False) == (50.0, False)


def test_it_gives_up_in_the_end() -> None:
    log = been_at(*(30.0 + i for i in range(GIVE_UP + 1)))
    assert decide(Wishes(60.0), log, detected=False)[1]


def test_a_network_that_found_nothing_leaves_the_search_to_the_plan() -> None:
    wishes = Wishes(60.0, 62.0, search=33.0)
    for moves in range(PLANNED_SEARCH + 2):
        log = been_at(*(40.0 + i for i in range(moves + 1)))
        place = 33.0 if moves >= PLANNED_SEARCH else 60.0
        assert decide(wishes, log, detected=False) == (place, False)
        assert decide(wishes, log, detected=True) == (60.0, False)
    # A plan that goes nowhere changes nothing.
    log = been_at(40.0, 41.0, 42.0, 43.0, 44.0)
    assert decide(Wishes(60.0, search=44.0), log, detected=False) == (60.0, False)


def test_without_evidence_that_the_object_is_sharp_it_looks_once_more() -> None:
    unsure = Wishes(40.1, sharp=EVIDENCE - 0.01, look=43.0)
    assert decide(unsure, been_at(40.0), detected=True) == (43.0, False)
    assert decide(Wishes(40.1, sharp=EVIDENCE, look=43.0), been_at(40.0), detected=True) == (40.0, True)
    # There is nothing left to look at, or there were moves enough.
    assert decide(Wishes(40.1, sharp=0.1, look=40.0), been_at(40.0), detected=True) == (40.0, True)
    log = been_at(*(30.0 + i for i in range(MOST_MOVES + 1)))
    assert decide(Wishes(40.1, sharp=0.1, look=43.0), log, detected=True) == (40.0, True)
    # It looked there, and the policy came back all the same.
    assert decide(Wishes(40.1, sharp=0.1, look=43.0), been_at(40.0, 43.0, 40.0), detected=True) == (
        40.0,
        True,
    )


def test_it_does_not_leave_an_object_that_is_known_to_be_sharp() -> None:
    sure = Wishes(60.0, sharp=SURE, look=40.0)
    assert decide(sure, been_at(40.0), detected=True) == (40.0, True)
    assert decide(Wishes(60.0, sharp=SURE - 0.01), been_at(40.0), detected=True) == (60.0, False)
    # All else that was seen says that the focus is elsewhere.
    lone = Wishes(60.0, sharp=SURE, look=40.0, focus=REFUTED - 0.01)
    assert decide(lone, been_at(40.0), detected=True) == (60.0, False)
    assert decide(lone, been_at(40.0), detected=False) == (60.0, False)
    # The last pixel may still be mended.
    assert decide(Wishes(40.9, sharp=SURE), been_at(40.0), detected=True) == (40.9, False)


def test_a_silent_detector_is_asked_again_at_the_sharpest_place() -> None:
    silent = Wishes(60.0, sharp=SURE, look=40.7)
    assert decide(silent, been_at(40.0), detected=False) == (40.7, False)
    assert decide(Wishes(60.0, sharp=SURE, look=40.0), been_at(40.0), detected=False) == (40.0, True)


def test_to_and_fro_between_two_places_that_were_seen_is_the_end() -> None:
    wishes = Wishes(46.58)
    # It may go back once, to where it was better; then it knows both.
    assert decide(wishes, been_at(46.58, 46.82), detected=True) == (46.58, False)
    assert decide(wishes, been_at(46.82, 46.58, 46.82), detected=True) == (46.82, True)
    # Without the object there is reason to go on, elsewhere if possible.
    assert decide(wishes, been_at(46.82, 46.58, 46.82), detected=False) == (46.58, False)
    assert decide(Wishes(46.58, 50.0), been_at(46.82, 46.58, 46.82), detected=False) == (50.0, False)
    # A third place between the two is no to and fro.
    assert not decide(wishes, been_at(46.58, 48.0, 46.82), detected=True)[1]


@given(
    been=st.lists(st.floats(24.0, 70.0), min_size=1, max_size=MOST_MOVES + 2),
    wish=st.floats(24.0, 70.0),
    look=st.floats(24.0, 70.0),
    sharp=st.one_of(st.just(np.nan), st.floats(0.0, 1.0)),
    focus=st.floats(0.0, 1.0),
    search=st.one_of(st.none(), st.floats(24.0, 70.0)),
    detected=st.booleans(),
)
def test_a_network_that_learns_as_deployed_goes_where_the_robot_will_go(
    been: list[float],
    wish: float,
    look: float,
    sharp: float,
    focus: float,
    search: float | None,
    detected: bool,
) -> None:
    log = been_at(*been)
    if not detected and (log.moves[0] >= GIVE_UP or not log.would_move(np.array([wish]))[0]):
        # A robot gives up, or takes another action, where a learner just stays.
        return
    wishes = Wishes(wish, sharp=sharp, look=look, focus=focus, search=search)
    learns = as_deployed(wishes, log, np.array([wish]), np.array([detected]))  # type: ignore[arg-type]
    assert float(learns[0]) == decide(wishes, log, detected=detected)[0]


@given(
    first=st.floats(24.0, 70.0),
    ends=st.tuples(st.floats(24.0, 70.0), st.floats(24.0, 70.0)).filter(lambda e: abs(e[0] - e[1]) > STAY),
)
def test_no_pair_of_places_keeps_the_lens_moving(first: float, ends: tuple[float, float]) -> None:
    log = been_at(first)
    for i in range(6):
        position, stop = decide(Wishes(ends[i % 2]), log, detected=True)
        if stop:
            return
        log.go(np.array([position]))
    pytest.fail(f"still moving after {log.moves[0]} moves")


def test_episodes_of_a_batch_do_not_touch_each_other() -> None:
    log = MoveLog(LENS, 2, STAY_DIOPTRES)
    log.reset(np.arange(2), np.array([46.82, 30.0]))
    for places in ([46.58, 35.0], [46.82, 40.0]):
        log.go(np.array(places))
    assert log.would_repeat(np.array([46.58, 46.58])).tolist() == [True, False]
    log.reset(np.array([0]), np.array([46.82]))
    assert not log.would_repeat(np.array([46.58, 46.58])).any()


class Light:
    """A picture of a scene that is well exposed in a part of a table, too dark below it, too bright above."""

    def __init__(self, index: int, good: range) -> None:
        self.index = np.array([index])
        self._side = 0 if index in good else (-1 if index < good.start else 1)

    def sides(self, rule: str) -> np.ndarray:
        return np.array([self._side])


class Stubborn:
    """A network that ranks the exposures of a table in one order, whatever it sees."""

    def __init__(self, order: list[int]) -> None:
        self._order = np.array(order)

    def ranked(self, observation: object, rng: object) -> np.ndarray:
        return self._order[None, :, None]


class Absolute:
    """An encoder whose actions are indices of the table."""

    def observation(self) -> np.ndarray:
        return np.zeros((1, 1))

    def index(self, actions: np.ndarray) -> np.ndarray:
        return actions


@given(
    order=st.permutations(range(146)),
    start=st.integers(0, 145),
    first_good=st.integers(-40, 180),
    width=st.integers(1, 30),
    mains_hz=st.sampled_from([0.0, 50.0]),
)
def test_every_search_for_light_ends_within_its_twelve_steps(
    order: list[int], start: int, first_good: int, width: int, mains_hz: float
) -> None:
    table = exposure_table().free_of_flicker(mains_hz)
    # What some exposure of whole flickers reaches, as a picture does: it is good over 1.3 EV, 12 values.
    width = max(width, 12) if mains_hz else width
    good = range(first_good, first_good + width)
    bounds, here = ExposureBounds(1, table, "well_exposed"), start
    for _ in range(HighLevelAgentConfig().max_steps + 1):
        light = Light(here, good)
        reached, exhausted = bounds.see(light)  # type: ignore[arg-type]
        if reached[0] or exhausted[0]:
            break
        chosen = int(bounds.choose(Stubborn(order), Absolute())[0])  # type: ignore[arg-type]
        here = table.seen(table.exposure_us(chosen), 0.0)
    else:
        raise AssertionError("it still searches")
    assert bool(reached[0]) is any(0 <= index < 146 for index in good)


@given(start=st.integers(0, 145), choice=st.integers(0, 145), first_good=st.integers(-40, 180))
def test_algorithm_1_acts_once_whatever_it_sees(start: int, choice: int, first_good: int) -> None:
    good = range(first_good, first_good + 30)
    bounds = ExposureBounds(1, exposure_table(), "acceptable", once=True)
    reached, over = bounds.see(Light(start, good))  # type: ignore[arg-type]
    assert not reached[0], "a good first picture is no reason not to act"
    assert not over[0]
    order = [choice, *(i for i in range(146) if i != choice)]
    assert bounds.choose(Stubborn(order), Absolute())[0] == choice  # type: ignore[arg-type]
    reached, over = bounds.see(Light(choice, good))  # type: ignore[arg-type]
    assert (bool(reached[0]), bool(over[0])) == (choice in good, choice not in good)
