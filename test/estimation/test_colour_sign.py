"""The side of the focus from red and blue, against likelihoods that are written down one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LARGE, MAP, OBJECT_D, ROW, model
from random_curves import log_normal

from dasha_ros.estimation.belief import FocusBelief, hypotheses
from dasha_ros.estimation.colour_sign import (
    MISTAKEN,
    SIGNED_NODES,
    ColourEvidence,
    colour_ratio,
    signed_node,
)
from dasha_ros.estimation.profile import NODES, Profile, node_radii
from dasha_ros.perception.percept import NO_COLOUR_DETAIL
from dasha_ros.perception.quality.detail import BANDS, SHAPE, codes

WHOLE = np.array([-0.5, -0.5, 1.5, 1.5])


def two_sides(height=1.0, noise=0.2):
    """Curves that are ``height`` where the lens is focused nearer, the opposite where farther, and fade."""
    fade = np.exp(-node_radii() / 4.0)[:, None]
    mean = np.concatenate([height * fade, -height * fade])
    return Profile(mean, np.zeros((SIGNED_NODES, 1, 1)), np.full((SIGNED_NODES, 1), noise**2))


@given(st.lists(st.floats(-200.0, 200.0), min_size=1, max_size=20))
def test_a_signed_node_is_the_nearest_on_its_side(blurs):
    radii = np.log1p(node_radii())
    for blur, node in zip(blurs, signed_node(np.array(blurs)), strict=True):
        side, at = divmod(int(node), NODES)
        assert side == (1 if blur < 0.0 else 0)
        distance = np.abs(radii - np.log1p(min(abs(blur), 90.0)))
        assert distance[at] == pytest.approx(distance.min(), abs=1e-9)


def test_the_ratio_is_that_of_the_details_in_the_box():
    red, blue = np.arange(BANDS) / 2.0, np.full(BANDS, 1.0)
    maps = np.stack([np.broadcast_to(codes(part), SHAPE).copy() for part in (red, blue)])
    maps[:, :, 40:] = 0
    box = np.array([0.1, 0.1, 0.5, 0.9])
    np.testing.assert_allclose(colour_ratio(maps, box), red - blue, atol=0.08)
    assert np.isnan(colour_ratio(maps, np.full(4, np.nan))).all()


def test_without_maps_there_is_no_ratio():
    ratio = colour_ratio(NO_COLOUR_DETAIL, WHOLE)
    assert ratio.shape == (BANDS,)
    assert np.isnan(ratio).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 4))
def test_the_likelihood_is_that_of_all_pictures_together(seed, count):
    random = np.random.default_rng(seed)
    profile = Profile(
        random.normal(size=(SIGNED_NODES, 2)),
        random.normal(size=(SIGNED_NODES, 2, 2)),
        random.uniform(0.3, 1.0, (SIGNED_NODES, 2)),
    )
    log_prior = random.normal(size=(2, 5))
    evidence = ColourEvidence(profile, 1, log_prior)
    blurs = random.uniform(-9.0, 9.0, (count, 2, 5))
    ratios = random.normal(size=(count, 2))
    for blur, ratio in zip(blurs, ratios, strict=True):
        evidence.add(ROW, blur[None], ratio[None], np.ones(1))
    told = np.array(
        [
            log_normal(ratios, profile, signed_node(blurs[:, case, place]))
            for case in range(2)
            for place in range(5)
        ]
    )
    share = np.exp(log_prior.ravel()) / np.exp(log_prior).sum()
    relative = np.exp(told - told.max())
    expected = np.log((1.0 - MISTAKEN) * relative / (share @ relative) + MISTAKEN)
    np.testing.assert_allclose(evidence.log_likelihood(ROW).ravel(), expected, atol=1e-6)


def new_belief(*, hears=True):
    return FocusBelief(replace(model(), colour=two_sides() if hears else None), MAP, 1)


def look(belief, position, ratio, *, trust=0.9):
    """A picture of which only colours tell anything; nothing where ``ratio`` is NaN."""
    nothing = np.full((1, 1), np.nan)
    belief.add(
        ROW,
        np.array([position]),
        nothing,
        nothing,
        np.array([np.nan]),
        detail=nothing,
        trust=np.array([trust]),
        cells=LARGE,
        colour=np.array([[ratio]]),
    )
    return belief.posterior[0].copy()


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_picture_near_the_focus_tells_the_side(side):
    here = OBJECT_D + side * 2.0 / MAP.px_per_dioptre
    posterior = look(new_belief(), MAP.position(here), side * np.exp(-0.5))
    near = np.abs(hypotheses() - here) * MAP.px_per_dioptre < 4.0
    shares = posterior * near
    right = shares[(hypotheses() - here) * side < 0.0].sum()
    assert right > 0.9 * shares.sum()


@pytest.mark.parametrize(("ratio", "trust"), [(np.nan, 0.9), (1.0, 0.0)])
def test_nothing_is_told_without_colours_or_without_an_object(ratio, trust):
    deaf = look(new_belief(hears=False), MAP.position(OBJECT_D), 1.0)
    found = look(new_belief(), MAP.position(OBJECT_D), ratio, trust=trust)
    np.testing.assert_allclose(found, deaf, atol=1e-12)


def test_an_episode_begins_anew_without_what_was_heard():
    belief = new_belief()
    first = look(belief, MAP.position(OBJECT_D), 1.0)
    belief.reset(ROW)
    again = look(belief, MAP.position(OBJECT_D), np.nan)
    np.testing.assert_allclose(again, look(new_belief(), MAP.position(OBJECT_D), np.nan), atol=1e-12)
    assert np.abs(first - again).max() > 1e-3
