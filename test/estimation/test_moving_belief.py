"""An object that moves in depth: against a filter written down, and on known blur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LARGE, LENS, MAP, ROW, picture
from known_curves import model as known_model
from random_curves import Case, joint_written_down, random_model

from dasha_ros.estimation.belief import FocusBelief, hypotheses, log_prior
from dasha_ros.estimation.cases import KNOWN, MOVING, UNKNOWN, cases_of
from dasha_ros.estimation.motion import (
    LONGEST_S,
    MOVES,
    NEAREST_M,
    SPEEDS,
    Elapsed,
    carried,
    places_after,
)
from dasha_ros.policies.learned.belief_encoder import BeliefEncoder
from dasha_ros.policies.moves import MoveLog

PX, GRID = MAP.px_per_dioptre, hypotheses()
EACH = (0.0, *SPEEDS)
SURE = np.array([0.9])


def later(dioptres, speed, seconds, nearest_m=NEAREST_M):
    """Where a thing is that goes away: by its distance, one number at a time."""
    if dioptres <= 0.05 or speed * seconds == 0.0:
        return dioptres
    if speed < 0.0 and 1.0 / dioptres <= nearest_m:
        return dioptres
    return 1.0 / max(1.0 / dioptres + speed * seconds, nearest_m if speed < 0.0 else 0.0)


def split_between_neighbours(shares, places):
    """Shares of places between those of the grid, given to the nearest two, one by one.

    Those that have left it by more than half a step are anywhere again.
    """
    result, step = np.zeros(len(GRID)), GRID[1] - GRID[0]
    for share, place in zip(shares, places, strict=True):
        if not GRID[0] - step / 2 < place < GRID[-1] + step / 2:
            result += share * np.exp(log_prior(GRID))
            continue
        inside = min(max(place, GRID[0]), GRID[-1])
        low = min(int((inside - GRID[0]) / (GRID[1] - GRID[0])), len(GRID) - 2)
        part = (inside - GRID[low]) / (GRID[1] - GRID[0])
        result[low] += share * (1.0 - part)
        result[low + 1] += share * part
    return result


def written_down(made, here, pictures, scores, seconds):
    """Probability of each place by now, from the probability of each speed and first place."""

    def way(speed):
        return lambda at: np.array([later(at, speed, s) for s in seconds])

    chances = [1.0 - MOVES] + [MOVES / len(SPEEDS)] * len(SPEEDS)
    cases = [
        Case(1.0, KNOWN.rungs[0], chance, way(speed)) for speed, chance in zip(EACH, chances, strict=True)
    ]
    # What fills the frame stands still.
    both = joint_written_down(made, here, pictures, scores, cases, background=[0] * len(cases))
    by_now = []
    for shares in both:
        each = [
            split_between_neighbours(mine, [later(at, speed, seconds[-1]) for at in GRID])
            for speed, mine in zip(EACH, shares, strict=True)
        ]
        by_now.append(np.sum(each, axis=0))
    return by_now


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0.0, 0.9), min_size=1, max_size=3))
def test_it_is_the_posterior_over_speeds_and_places(seed, steps):
    made, random = random_model(seed), np.random.default_rng(seed + 1)
    count, seconds = len(steps), np.cumsum([0.0, *steps[1:]])
    position = MAP.position(random.permutation((0.3, 1.6, 3.0))[:count])
    shown, scores = random.normal(size=(3, count, 2)), random.uniform(0.5, 1.0, count)
    belief = FocusBelief(made, MAP, 1, moving=True)
    for i in range(count):
        one = slice(i, i + 1)
        frame, box, detail = shown[:, one]
        belief.add(
            ROW, position[one], frame, box, scores[one],
            detail=detail, trust=scores[one], cells=LARGE, seconds=seconds[one],
        )  # fmt: skip
    posterior, sharpness = written_down(made, MAP.dioptres(position), shown, scores, seconds)
    np.testing.assert_allclose(belief.posterior[0], posterior, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(belief.own.posterior[0], sharpness, rtol=1e-5, atol=1e-9)


def seen(
    speed, *, moving=True, object_d=2.0, places=(1.0, 2.4, 1.7), step_s=0.3, nearest_m=NEAREST_M, ahead_s=0.0
):
    """Of an object that fills the frame and goes away; also where it is in the last picture."""
    belief = FocusBelief(known_model(), MAP, 1, moving=moving)
    for i, here in enumerate(places):
        at = later(object_d, speed, i * step_s, nearest_m)
        read = np.log1p(np.abs(np.array([[here - at]])) * PX)
        belief.add(
            ROW, MAP.position(np.array([here])), read, read, SURE,
            detail=read, trust=SURE, cells=LARGE, seconds=i * step_s, ahead=ahead_s,
        )  # fmt: skip
    return belief, at


@pytest.mark.parametrize("speed", EACH)
@pytest.mark.parametrize("object_d", [0.8, 2.0, 2.4])
def test_a_moving_object_is_expected_where_it_is_by_now(speed, object_d):
    belief, at = seen(speed, object_d=object_d)
    expected = belief.posterior[0] @ GRID
    assert abs(expected - at) * PX < 1.0
    assert belief.own.probability(np.array([at]))[0] > 0.9
    assert belief.both[0].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("speed", EACH)
def test_the_belief_is_about_the_next_picture(speed):
    """A lens that goes to where a moving object was comes too late."""
    belief, at = seen(speed, ahead_s=0.4)
    then = later(at, speed, 0.4)
    assert abs(belief.posterior[0] @ GRID - then) * PX < 1.0
    assert belief.own.probability(np.array([at]))[0] > 0.9, "the verdict is about the last picture"


@pytest.mark.parametrize("speed", [-0.2, -0.1, -0.05])
def test_an_object_that_comes_stops_where_none_is_nearer(speed):
    """At first it is at 3 D; then it waits at the near end of what is searched."""
    belief, at = seen(speed, object_d=3.0, places=(1.0, 2.0, 2.6), step_s=0.4)
    assert at == pytest.approx(1.0 / NEAREST_M)
    assert abs(belief.posterior[0] @ GRID - at) * PX < 1.0


@pytest.mark.parametrize("speed", [-0.3, -0.2])
def test_an_object_that_came_nearer_than_it_may_is_nowhere_sharp(speed):
    """At first it is at 2.9 D, then far beyond the last place, and the lens as near to it as it goes."""
    belief, at = seen(speed, object_d=2.9, places=(1.0, 2.0, 3.6), step_s=0.4, nearest_m=0.05)
    assert at > GRID[-1] + 2.0 / PX
    assert belief.own.probability(np.array([3.6]))[0] < 0.5


def test_a_silent_detector_drives_no_still_object_to_the_near_end():
    """Pictures of a detector that finds nothing, far from focus, while time passes."""
    belief = FocusBelief(known_model(), MAP, 1, moving=True)
    nothing = np.full((1, 1), np.nan)
    for i in range(10):
        belief.add(
            ROW, MAP.position(np.array([0.3 * i])), nothing, nothing, np.array([np.nan]),
            detail=nothing, trust=SURE, cells=LARGE, seconds=0.5 * i,
        )  # fmt: skip
    ahead = belief.posterior[0] / np.exp(log_prior(GRID))
    assert ahead[-1] < 1.1
    assert ahead[:-1].max() < 1.5


def test_what_was_seen_on_both_sides_counts_as_long_as_the_object_stays():
    """Sharp between two blurred places at first; then it has left, and the same place shows it blurred."""
    stayed, _ = seen(0.0, places=(1.6, 2.4, 2.0))
    assert stayed.own.probability(np.array([2.0]))[0] > 0.9
    belief, left = seen(0.2, places=(2.0, 2.4, 1.6, 1.2), step_s=0.3)
    assert abs(left - 2.0) * PX > 3.0
    assert belief.own.probability(np.array([2.0]))[0] < 0.5


def test_who_takes_it_for_still_is_wrong():
    """Otherwise the speeds would be for nothing."""
    still, at = seen(0.2, moving=False, places=(2.4, 3.0, 0.6))
    apart = np.abs(GRID - at) * PX > 2.0
    assert still.posterior[0][apart].sum() > 0.9


def test_of_a_still_object_almost_nothing_changes():
    knows, _ = seen(0.0)
    still, _ = seen(0.0, moving=False)
    assert np.abs(knows.posterior - still.posterior).sum() < 0.1
    assert knows.both[0].sum(axis=1)[0] > 1.0 - 2.0 * MOVES


def test_pictures_without_a_time_tell_nothing_of_speeds():
    knows, _ = seen(0.0, step_s=0.0)
    still, _ = seen(0.0, moving=False, step_s=0.0)
    np.testing.assert_allclose(knows.posterior, still.posterior, atol=1e-12)
    np.testing.assert_allclose(knows.own.posterior, still.own.posterior, atol=1e-12)


def test_an_object_that_is_not_seen_moves_on():
    """What was read before is carried on, though the last picture told nothing."""
    belief, _ = seen(0.2)
    before = belief.own.posterior[0] @ GRID
    nothing = np.full((1, 1), np.nan)
    belief.add(
        ROW, MAP.position(np.array([0.2])), nothing, nothing, np.array([np.nan]),
        detail=nothing, trust=SURE, cells=LARGE, seconds=1.2,
    )  # fmt: skip
    way = before - belief.own.posterior[0] @ GRID
    assert way == pytest.approx(later(2.0, 0.2, 0.6) - later(2.0, 0.2, 1.2), abs=0.05)
    belief.reset(ROW)
    fresh = FocusBelief(known_model(), MAP, 1, moving=True)
    np.testing.assert_array_equal(belief.both, fresh.both)
    np.testing.assert_array_equal(belief.own.posterior, fresh.own.posterior)


shares = st.lists(st.floats(0.01, 1.0), min_size=len(GRID), max_size=len(GRID)).map(np.array)


@settings(max_examples=25, deadline=None)
@given(shares, st.sampled_from(EACH), st.floats(0.0, 5.0), st.floats(0.25, 4.0))
def test_what_is_carried_on_is_kept(mine, speed, seconds, scale):
    speeds, one = np.array([speed]), np.array([seconds])
    places = places_after(GRID, speeds, one, scale)
    each = [scale * later(at / scale, speed, seconds) for at in GRID]
    np.testing.assert_allclose(places[0, 0], each)
    got = carried(mine[None, None], GRID, places, log_prior(GRID))[0, 0]
    np.testing.assert_allclose(got, split_between_neighbours(mine, each), atol=1e-9)
    assert got.sum() == pytest.approx(mine.sum())


@given(st.lists(st.tuples(st.floats(-100.0, 100.0), st.booleans()), max_size=8))
def test_no_clock_makes_time_run_backwards_or_jump(ticks):
    elapsed, now, expected, ahead = Elapsed(2), 1.0e9, 0.0, 0.0
    rows = np.arange(2)
    assert not elapsed.see(rows, np.full(2, now)).any()
    for step, is_known in ticks:
        if is_known:
            before, now = now, now + step
            taken = min(max(now - before, 0.0), LONGEST_S)
            expected, ahead = expected + taken, taken or ahead
        got = elapsed.see(rows, np.full(2, now) if is_known else None)
        np.testing.assert_allclose(got, expected, atol=1e-5)
        np.testing.assert_allclose(elapsed.ahead(rows), ahead, atol=1e-5)
    elapsed.reset(rows[:1])
    assert elapsed.see(rows, None).tolist() == [0.0, pytest.approx(expected, abs=1e-5)]


@pytest.mark.parametrize("first", [0, 2])
def test_an_encoder_tells_the_belief_how_much_time_passed(first):
    """Also of pictures before the first detection, which are read once the object is found."""
    encoder, log = BeliefEncoder(known_model(), LENS, 1, moving=True), MoveLog(LENS, 1)
    for i, here in enumerate((1.0, 2.4, 1.7)):
        position = MAP.position(np.array([here]))
        at = later(2.0, 0.2, 0.3 * i)
        read = np.log1p(np.abs(np.array([[here - at]])) * PX)
        shown = replace(
            picture(position[0]), frame=read, box=read, detail=read, place=read,
            detected=np.array([i >= first]), taken_s=np.array([100.0 + 0.3 * i]),
        )  # fmt: skip
        if i == 0:
            log.reset(ROW, position)
            encoder.reset(ROW, shown)
        else:
            log.go(position)
            encoder.see(ROW, shown)
    places, chances = encoder.belief(0)
    assert abs(chances @ places - later(at, 0.2, 0.3)) * PX < 1.0, "where it is at the next picture"
    log.go(MAP.position(np.array([at])))
    assert encoder.sharp_probability(log)[0] > 0.9


def test_speeds_are_told_apart_where_the_scale_of_blur_is_known():
    assert cases_of(1.0, moving=True) is MOVING
    assert np.exp(MOVING.log_prior).sum() == pytest.approx(1.0)
    assert not cases_of(1.0).moves
    assert cases_of(4.0, moving=True).scales.tolist() == UNKNOWN.scales.tolist()
