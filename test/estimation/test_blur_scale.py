"""A lens that blurs more or less than its map says: against a filter written down, and on known blur."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LARGE, MAP, OBJECT_D, ROW
from known_curves import model as known_model
from random_curves import Case, joint_written_down, random_model

from dasha_ros.estimation.belief import (
    FocusBelief,
    belief_map,
    hypotheses,
    log_prior,
)
from dasha_ros.estimation.candidates import likeliest
from dasha_ros.estimation.cases import CHANCES, KNOWN, UNKNOWN, cases_of
from dasha_ros.estimation.own_sharpness import NOVEL_PX, SHARP_PX, OwnSharpness
from dasha_ros.optics.lens import ASSUMED
from dasha_ros.optics.profiles import lens_model

PX = MAP.px_per_dioptre
DOUBTED = belief_map(lens_model(blur_doubt=ASSUMED))
GRID = hypotheses()
SURE = np.array([0.9])
PLACES = (0.2, 1.2, 2.1, 3.1)


def chances_of_scales():
    return np.array([CHANCES[abs(away)] for away in range(-3, 4)])


def written_down(made, here, pictures, scores):
    """Probability of every scale and place, one by one."""
    each = zip(UNKNOWN.scales, UNKNOWN.rungs, chances_of_scales(), strict=True)
    cases = [Case(scale, rungs, chance, lambda at: np.full(len(here), at)) for scale, rungs, chance in each]
    return joint_written_down(made, here, pictures, scores, cases, background=range(len(cases)))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_it_is_the_posterior_over_scales_and_places(seed, count):
    made, random = random_model(seed), np.random.default_rng(seed + 1)
    position = MAP.position(random.permutation(PLACES)[:count])
    shown, scores = random.normal(size=(3, count, 2)), random.uniform(0.5, 1.0, count)
    belief = FocusBelief(made, DOUBTED, 1)
    for i in range(count):
        one = slice(i, i + 1)
        frame, box, detail = shown[:, one]
        belief.add(ROW, position[one], frame, box, scores[one], detail=detail, trust=scores[one], cells=LARGE)
    joint, sharpness = written_down(made, MAP.dioptres(position), shown, scores)
    np.testing.assert_allclose(belief.both[0], joint, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(belief.posterior[0], joint.sum(axis=0), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(belief.own.posterior[0], sharpness.sum(axis=0), rtol=1e-5, atol=1e-9)
    centre = GRID[[60]]
    within = UNKNOWN.probability_within(belief.both, GRID, centre, 1.5 / PX)[0]
    assert within == pytest.approx(near(joint, centre[0], 1.5), rel=1e-5, abs=1e-9)


def near(joint, centre, px):
    """Probability that the object blurs by at most so many px at a place; cells count by the part inside."""
    step, total = GRID[1] - GRID[0], 0.0
    for scale, places in zip(UNKNOWN.scales, joint, strict=True):
        for at, chance in zip(GRID, places, strict=True):
            reach = px / (PX * scale)
            inside = min(at + step / 2, centre + reach) - max(at - step / 2, centre - reach)
            total += chance * min(max(inside, 0.0), step, 2 * reach) / step
    return total


def scan(scale, lens=DOUBTED, places=PLACES, made=None):
    """Of an object that fills the frame, through a lens that blurs so many times as much as its map says."""
    belief = FocusBelief(made or known_model(), lens, 1)
    for here in places:
        read = np.log1p(np.abs(np.array([[here - OBJECT_D]])) * PX * scale)
        belief.add(
            ROW, MAP.position(np.array([here])), read, read, SURE, detail=read, trust=SURE, cells=LARGE
        )
    return belief


@pytest.mark.parametrize("scale", UNKNOWN.scales)
def test_a_scan_tells_the_scale_and_the_place(scale):
    belief = scan(scale)
    assert belief.blur_scale[0] == scale
    chances = belief.both[0].sum(axis=1)
    assert UNKNOWN.scales[chances.argmax()] == scale
    assert chances.max() > 0.9
    assert belief.posterior[0] @ GRID == pytest.approx(OBJECT_D, abs=0.05)
    two_px = 2.0 / (PX * scale)
    assert belief.own.probability(np.array([OBJECT_D + 0.5 * two_px]))[0] > 0.9
    assert belief.own.probability(np.array([OBJECT_D + 3.0 * two_px]))[0] < 0.1


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_who_trusts_the_map_of_such_a_lens_is_wrong(scale):
    """Otherwise the hypotheses would be for nothing."""
    trusting = scan(scale, MAP)
    assert abs(trusting.posterior[0] @ GRID - OBJECT_D) > 0.1 or trusting.separate[0] > 0.9


@given(st.floats(-0.2, 3.6))
def test_one_picture_tells_nothing_of_the_scale_that_was_not_expected(here):
    """A blur of unknown distance: each scale has a place that explains it, so none is ruled out."""
    belief = scan(1.0, places=(here,))
    chances = belief.both[0].sum(axis=1)
    assert chances.argmax() == 3
    assert chances.max() < 0.999


def test_before_anything_is_seen_the_map_is_mostly_right():
    belief = scan(1.0, places=())
    np.testing.assert_allclose(belief.both[0].sum(axis=1), chances_of_scales())
    np.testing.assert_allclose(belief.posterior[0], np.exp(log_prior(GRID)))
    assert belief.blur_scale[0] == 1.0
    assert chances_of_scales().sum() == pytest.approx(1.0)


def test_an_episode_forgets_the_scale_of_the_one_before():
    belief = scan(4.0)
    belief.reset(ROW)
    fresh = scan(1.0, places=())
    np.testing.assert_array_equal(belief.both, fresh.both)
    assert belief.blur_scale[0] == 1.0
    once, again = scan(0.25, places=PLACES[:2]), belief
    for here in PLACES[:2]:
        read = np.log1p(np.abs(np.array([[here - OBJECT_D]])) * PX * 0.25)
        again.add(ROW, MAP.position(np.array([here])), read, read, SURE, detail=read, trust=SURE, cells=LARGE)
    np.testing.assert_array_equal(once.both, again.both)
    np.testing.assert_array_equal(once.own.posterior, again.own.posterior)


def test_a_map_that_is_right_is_the_middle_of_the_scales():
    """With one scale the belief is that of `test_belief`, which is written down without any."""
    assert KNOWN.scales.tolist() == [1.0]
    assert KNOWN.log_prior.tolist() == [0.0]
    belief = scan(1.0, MAP)
    assert belief.both.shape[1] == 1
    np.testing.assert_array_equal(belief.both[:, 0], belief.posterior)
    assert (belief.blur_scale == 1.0).all()


@given(st.lists(st.floats(0.01, 1.0), min_size=7, max_size=7))
def test_the_object_alone_follows_what_the_rest_knows_of_the_scale(chances):
    own = OwnSharpness(known_model().detail, 1, GRID, log_prior(GRID), PX, cases=UNKNOWN)
    for here in (0.5, 2.6):
        read = np.log1p(np.abs(np.array([[here - OBJECT_D]])) * PX)
        own.add(ROW, np.array([here]), read, SURE, LARGE)
    unlike, before = own.posterior.copy(), own.sharpest()
    own.learn(ROW, np.array([chances]))
    assert own.posterior.sum() == pytest.approx(1.0)
    shares = np.array([chances]) / sum(chances)
    place = likeliest(own.posterior, GRID, SHARP_PX / (PX * UNKNOWN.likeliest(shares)))
    assert own.sharpest() is not before
    assert own.sharpest().dioptres == place.dioptres
    own.learn(ROW, np.zeros((1, len(UNKNOWN.scales))))
    np.testing.assert_allclose(own.posterior, unlike, err_msg="what nothing explains tells nothing")
    own.learn(ROW, np.array([chances]))
    own.learn(ROW, 3.0 * chances_of_scales()[None])
    np.testing.assert_allclose(own.posterior, unlike)


def test_pictures_of_neighbouring_places_count_in_full_where_the_lens_blurs_more():
    """At 4 times the blur, places that are 1 px apart by the map show different pictures."""
    belief = scan(4.0)
    near = OBJECT_D + 0.12
    assert 0.12 * PX < NOVEL_PX
    before = belief.posterior[0].max()
    read = np.log1p(np.abs(np.array([[near - OBJECT_D]])) * PX * 4.0)
    belief.add(ROW, MAP.position(np.array([near])), read, read, SURE, detail=read, trust=SURE, cells=LARGE)
    assert belief.posterior[0].max() > before


@pytest.mark.parametrize(
    ("doubt", "told_apart"), [(1.0, 1), (1.5, 1), (1.6, 3), (2.0, 3), (2.5, 5), (4.0, 7), (100.0, 7)]
)
def test_a_lens_may_say_how_well_its_blur_is_known(doubt, told_apart):
    cases = cases_of(doubt)
    assert len(cases.scales) == told_apart
    assert np.exp(cases.log_prior).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(cases.scales, 1.0 / cases.scales[::-1], rtol=0.02)
