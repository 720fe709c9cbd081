"""A^L without voltages sees and asks for what the newest picture tells; without detections, what fills it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LENS, MAP, OBJECT_D, ROW, model, picture

from dasha_ros.estimation.readout import Readout
from dasha_ros.policies.learned.ablations import BeliefWithoutDetection, BeliefWithoutPosition
from dasha_ros.policies.learned.belief_encoder import ACTIONS, STAY, BeliefEncoder
from dasha_ros.policies.learned.focus_encoder import FocusInputs
from dasha_ros.policies.learned.focus_features import BeliefFeatureExtractor, focus_extractor
from dasha_ros.policies.learned.policy_content import BELIEF, WITHOUT_DETECTION, WITHOUT_POSITION
from dasha_ros.policies.moves import MoveLog


def seen(*pictures: FocusInputs) -> tuple[BeliefWithoutPosition, MoveLog]:
    encoder, log = BeliefWithoutPosition(model(), LENS, 1), MoveLog(LENS, 1)
    log.reset(ROW, pictures[0].position)
    encoder.reset(ROW, pictures[0])
    for shot in pictures[1:]:
        log.go(shot.position)
        encoder.see(ROW, shot)
    return encoder, log


def moved(shot: FocusInputs, position: float) -> FocusInputs:
    """The same picture, taken elsewhere."""
    return FocusInputs(**{**vars(shot), "position": np.array([position])})


@settings(max_examples=20)
@given(here=st.floats(24.0, 70.0), before=st.floats(24.0, 70.0), shown=st.floats(24.0, 70.0))
def test_neither_positions_nor_earlier_pictures_are_seen(here, before, shown):
    newest = picture(shown)
    alone, log = seen(newest)
    after, later = seen(picture(before), moved(newest, here))
    np.testing.assert_array_equal(after.observation(later), alone.observation(log))
    np.testing.assert_array_equal(after.defocus_probability(later), alone.defocus_probability(log))
    np.testing.assert_array_equal(after.focus_probability(later), alone.focus_probability(log))


def test_the_same_action_is_the_same_move_wherever_the_lens_is():
    shot = picture(44.0)
    asked = []
    for here in (45.0, 48.0):
        encoder, log = seen(moved(shot, here))
        position = np.concatenate([encoder.position(np.array([[a]]), log) for a in range(ACTIONS)])
        asked.append(MAP.dioptres(position) - MAP.dioptres(log.position))
    inside = np.abs(asked[0]) < 1.0
    assert inside.sum() > 2
    np.testing.assert_allclose(asked[0][inside], asked[1][inside], atol=0.01)


def test_one_picture_tells_how_far_but_not_on_which_side():
    encoder, _ = seen(picture(38.0))
    posterior = encoder._belief.posterior[0]
    places = encoder._belief.dioptres - encoder._middle
    far = float(np.abs(MAP.dioptres(np.array([38.0]))[0] - OBJECT_D))
    about = np.abs(np.abs(places) - far) < 0.5
    assert posterior[about].sum() > 0.5
    nearer, farther = posterior[about & (places > 0)].sum(), posterior[about & (places < 0)].sum()
    assert 0.2 < nearer / (nearer + farther) < 0.8


def test_a_network_for_it_has_the_size_of_one_with_positions_and_a_stay_is_a_stay():
    encoder, log = seen(picture(42.0))
    whole = BeliefEncoder(model(), LENS, 1)
    assert (encoder.size, encoder.nvec) == (whole.size, whole.nvec)
    assert not log.would_move(encoder.position(np.array([[STAY]]), log))[0]
    assert encoder.position(np.array([[STAY]]), log)[0] == pytest.approx(42.0, abs=0.001)


@settings(max_examples=20)
@given(
    score=st.floats(0.0, 1.0),
    box=st.sampled_from([np.nan, 0.0, 1.0]),
    position=st.lists(st.floats(24.0, 70.0), min_size=1, max_size=3),
)
def test_no_detection_changes_what_the_deaf_see(score, box, position):
    observations = []
    for detected in (False, True):
        encoder, log = BeliefWithoutDetection(model(), LENS, 1), MoveLog(LENS, 1)
        log.reset(ROW, np.array([44.0]))
        encoder.reset(ROW, picture(44.0))
        for at in position:
            shot = picture(at)
            if detected:
                shot = replace(shot, score=np.array([score]), box=np.full_like(shot.box, box))
            log.go(shot.position)
            encoder.see(ROW, shot)
        observations.append(encoder.observation(log))
    np.testing.assert_array_equal(*observations)
    assert np.isfinite(observations[0]).all()
    assert observations[0].shape == BeliefEncoder(model(), LENS, 1).observation(log).shape


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [
        (BELIEF, BeliefEncoder),
        (WITHOUT_POSITION, BeliefWithoutPosition),
        (WITHOUT_DETECTION, BeliefWithoutDetection),
    ],
)
def test_a_policys_file_tells_which_it_was_learned_with(kind, encoder):
    nothing = Readout(*(np.zeros((2, 1)) for _ in fields(Readout)))
    made = BeliefFeatureExtractor(nothing, nothing, nothing, model(), kind)
    again = focus_extractor(made.kind, made.encoder, made.arrays())
    assert again.kind == kind
    assert type(again.observation_encoder(LENS, 1)) is encoder
