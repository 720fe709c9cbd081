"""What A^L of `plus` believes about one scene whose curves are known, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from known_curves import LENS, MAP, OBJECT_D, ROW, model, picture

from dasha_ros.policies.learned.belief_encoder import SHARP_PX, STAY, BeliefEncoder
from dasha_ros.policies.learned.focus_encoder import LatentFocusEncoder
from dasha_ros.policies.moves import MoveLog

TOWARDS = 2
"""The action that goes to the likeliest place; see `BeliefEncoder`."""


def looked(*position):
    encoder, log = BeliefEncoder(model(), LENS, 1), MoveLog(LENS, 1)
    log.reset(ROW, np.array([position[0]]))
    encoder.reset(ROW, picture(position[0]))
    for place in position[1:]:
        log.go(np.array([place]))
        encoder.see(ROW, picture(place))
    return encoder, log


def test_three_looks_at_known_curves_find_the_focus():
    encoder, log = looked(30.0, 60.0, 45.0)
    found = encoder.position(np.array([[TOWARDS]]), log)
    assert MAP.dioptres(found)[0] == pytest.approx(OBJECT_D, abs=0.5 / MAP.px_per_dioptre)


def test_doubt_is_all_but_certain_away_from_the_focus_and_leaves_in_focus():
    in_focus = float(MAP.position(np.array([OBJECT_D]))[0])
    for places, doubted in (((30.0, 60.0), True), ((30.0, 60.0, in_focus), False)):
        encoder, log = looked(*places)
        defocus_probability = encoder.defocus_probability(log)[0]
        assert 0.0 <= defocus_probability <= 1.0
        assert (defocus_probability > 0.99) if doubted else (defocus_probability < 0.05)


def test_doubt_is_the_probability_beyond_a_sharp_picture():
    encoder, log = looked(42.0)
    here = MAP.dioptres(log.position)
    blur = np.abs(encoder._belief.dioptres - here) * MAP.px_per_dioptre
    expected = encoder._belief.posterior[0, blur > SHARP_PX].sum()
    # Hypotheses are 0.22 px apart; half of one may lie on either side.
    assert encoder.defocus_probability(log)[0] == pytest.approx(expected, abs=0.05)
    expected = encoder._belief.posterior[0, blur <= 2.0 * SHARP_PX].sum()
    assert encoder.focus_probability(log)[0] == pytest.approx(expected, abs=0.05)


def test_a_stay_leaves_the_lens_where_it_is():
    encoder, log = looked(42.0)
    assert encoder.position(np.array([[STAY]]), log)[0] == 42.0


def test_who_believes_nothing_doubts_nothing():
    log = MoveLog(LENS, 3)
    assert (LatentFocusEncoder(LENS, 3, 8).defocus_probability(log) == 0.0).all()
    assert np.isnan(LatentFocusEncoder(LENS, 3, 8).focus_probability(log)).all()
