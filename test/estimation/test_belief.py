"""The posterior over focus positions, against one that is written down hypothesis by hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LARGE
from random_curves import log_normal

from dasha_ros.estimation.belief import (
    BEHIND,
    FARTHEST_D,
    GAP_D,
    NEAREST_D,
    SEPARATE,
    BeliefModel,
    FocusBelief,
    hypotheses,
    log_prior,
)
from dasha_ros.estimation.cases import KNOWN
from dasha_ros.estimation.detectability import CLASSES, Detectability, score_class
from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.estimation.own_sharpness import MISTAKEN, NOVEL_PX, SURE_SCORES
from dasha_ros.estimation.profile import NODES, Profile, nearest_node
from dasha_ros.optics.profiles import lens_model

LENS = LensMap(lens_model())
PX = LENS.px_per_dioptre
GRID = hypotheses()
SURE = SURE_SCORES[1] + 0.01
ROW = np.zeros(1, np.intp)


def curves(random):
    return Profile(
        random.normal(size=(NODES, 2)),
        random.normal(size=(NODES, 2, 2)),
        random.uniform(0.3, 1.0, (NODES, 2)),
    )


def model(seed):
    random = np.random.default_rng(seed)
    answers = random.uniform(0.1, 1.0, (3, NODES, CLASSES))
    kinds = random.uniform(0.1, 1.0, 3)
    return BeliefModel(
        curves(random),
        curves(random),
        curves(random),
        Detectability(kinds / kinds.sum(), np.log(answers / answers.sum(axis=2, keepdims=True))),
    )


def apart(*dioptres):
    """Voltages that focus there: so far apart that every picture counts in full."""
    assert min(np.diff(sorted(dioptres)), default=np.inf) * PX > NOVEL_PX
    return LENS.position(np.array(dioptres))


def written_down(made, position, pictures, scores):
    """Posterior and probability of standing apart, by the model's own words."""
    prior = np.exp(log_prior(GRID))
    here = LENS.dioptres(position)
    frame, box, detail = pictures
    of_frame, own, of_detail = [], [], []
    for at in GRID:
        nodes = nearest_node(np.abs(here - at) * PX)
        of_frame.append(log_normal(frame, made.frame, nodes))
        answers = made.detection.log_answers[:, nodes, score_class(scores)].sum(axis=1)
        kinds = np.log(np.sum(made.detection.weights * np.exp(answers)))
        scaled = [nearest_node(np.abs(here - at) * PX * scale) for scale in KNOWN.rungs[0]]
        of_detail.append(np.logaddexp.reduce([log_normal(detail, made.detail, each) for each in scaled]))
        own.append(log_normal(box, made.box, nodes) + kinds)
    of_frame = np.exp(np.array(of_frame) - max(of_frame))
    told = np.exp(np.array(of_detail) - max(of_detail))
    own = prior * np.exp(np.array(own) - max(own)) * ((1.0 - MISTAKEN) * told / told.mean() + MISTAKEN)
    apart = np.zeros(len(GRID))
    for i, at in enumerate(GRID):
        for share, gap in ((SEPARATE, at - GRID), (BEHIND, GRID - at)):
            elsewhere = gap >= GAP_D - 1e-9
            if elsewhere.any():
                apart[i] += share * (prior * of_frame)[elsewhere].sum() / prior[elsewhere].sum()
    together, separate = own * (1.0 - SEPARATE - BEHIND) * of_frame, own * apart
    total = (together + separate).sum()
    return (together + separate) / total, separate.sum() / total


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_it_is_the_posterior_of_the_model(seed, pictures):
    made, random = model(seed), np.random.default_rng(seed + 1)
    position = apart(*random.permutation([0.3, 1.4, 2.6])[:pictures])
    shown = random.normal(size=(3, pictures, 2))
    scores = random.uniform(SURE, 1.0, pictures)
    belief = FocusBelief(made, LENS, 1)
    for i in range(pictures):
        one = slice(i, i + 1)
        frame, box, detail = shown[:, one]
        belief.add(ROW, position[one], frame, box, scores[one], detail=detail, trust=scores[one], cells=LARGE)
    posterior, separate = written_down(made, position, shown, scores)
    np.testing.assert_allclose(belief.posterior[0], posterior, rtol=1e-6, atol=1e-9)
    assert belief.separate[0] == pytest.approx(separate, rel=1e-6)


numbers = st.floats(-5.0, 5.0)
picture = st.tuples(st.floats(24.0, 70.0), numbers, numbers, st.booleans(), st.floats(0.0, 1.0))


def add(belief, rows, pictures):
    position, first, second, boxed, scores = (
        np.array(column, float) for column in zip(*pictures, strict=True)
    )
    frame = np.stack([first, second], axis=1)
    box = np.where(boxed[:, None] > 0, frame[:, ::-1], np.nan)
    score = np.where(boxed > 0, scores, 0.0)
    belief.add(rows, position, frame, box, score, detail=box, trust=score, cells=LARGE)


@settings(max_examples=25)
@given(st.lists(picture, min_size=1, max_size=20))
def test_whatever_is_seen_it_stays_a_probability(pictures):
    belief = FocusBelief(model(3), LENS, 1)
    for seen in pictures:
        add(belief, ROW, [seen])
        assert (belief.posterior >= 0.0).all()
        assert belief.posterior.sum() == pytest.approx(1.0)
        assert 0.0 <= belief.separate[0] <= 1.0


@settings(max_examples=10)
@given(st.permutations([0.2, 1.0, 1.8, 2.6]))
def test_the_order_of_pictures_of_different_places_does_not_matter(order):
    random = np.random.default_rng(5)
    places = sorted(order)
    seen = {d: (v, *random.normal(size=2), True, 0.7) for d, v in zip(places, apart(*places), strict=True)}
    beliefs = []
    for course in (places, order):
        belief = FocusBelief(model(4), LENS, 1)
        for place in course:
            add(belief, ROW, [seen[place]])
        beliefs.append(belief.posterior)
    np.testing.assert_allclose(beliefs[0], beliefs[1], rtol=1e-6, atol=1e-12)


def test_a_second_picture_of_the_same_place_says_nothing_new():
    belief = FocusBelief(model(6), LENS, 1)
    add(belief, ROW, [(45.0, 0.3, -0.2, True, 0.8)])
    once = belief.posterior.copy()
    add(belief, ROW, [(45.0, 2.0, 1.0, True, 0.2)])
    np.testing.assert_allclose(belief.posterior, once)


def test_a_box_that_the_detector_is_not_sure_of_is_not_believed():
    posteriors = []
    for box in (1.5, -1.5):
        belief = FocusBelief(model(7), LENS, 1)
        score = np.array([SURE_SCORES[0]])
        boxed = np.full((1, 2), box)
        belief.add(
            ROW, np.array([45.0]), np.zeros((1, 2)), boxed, score, detail=boxed, trust=score, cells=LARGE
        )
        posteriors.append(belief.posterior)
    np.testing.assert_array_equal(*posteriors)


def test_episodes_of_a_batch_are_apart_and_begin_anew():
    both, alone = FocusBelief(model(8), LENS, 2), FocusBelief(model(8), LENS, 1)
    untouched = both.posterior.copy()
    pictures = [(30.0, 0.5, 0.1, True, 0.9), (52.0, -0.4, 0.8, False, 0.0)]
    add(both, np.arange(2), pictures)
    add(alone, ROW, pictures[1:])
    np.testing.assert_allclose(both.posterior[1], alone.posterior[0])
    both.reset(np.array([0]))
    np.testing.assert_array_equal(both.posterior[0], untouched[0])
    assert both.separate[0] == SEPARATE + BEHIND
    np.testing.assert_allclose(both.posterior[1], alone.posterior[0])
    add(both, np.array([0]), pictures[1:])
    np.testing.assert_allclose(both.posterior[0], both.posterior[1])


def test_the_prior_is_where_objects_are_expected():
    prior = np.exp(log_prior(GRID))
    assert prior.sum() == pytest.approx(1.0)
    inside = (GRID >= FARTHEST_D) & (GRID <= NEAREST_D)
    assert prior[inside].sum() > 0.9
    assert (prior > 0.0).all(), "a lens that has drifted is possible"
    # Half of it by log distance: the farther half of the dioptres holds more than half.
    assert prior[GRID < (FARTHEST_D + NEAREST_D) / 2].sum() > 0.6
