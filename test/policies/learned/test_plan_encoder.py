"""Plans as observation and action of A^L: made from what is known now, on any lens, and optional in files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_curves import LENS, MAP, OBJECT_D, ROW, model, picture

from dasha_ros.estimation.readout import Readout
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.policies.learned.belief_encoder import ACTIONS, BeliefEncoder
from dasha_ros.policies.learned.focus_features import BeliefFeatureExtractor, focus_extractor
from dasha_ros.policies.learned.plan_encoder import LOOK, PLANS, STRICT, PlanEncoder
from dasha_ros.policies.learned.policy_content import WITH_PLAN
from dasha_ros.policies.moves import MoveLog

GENTLE = STRICT + 1
COLUMNS = 2 * len(PLANS) + 4
"""What a plan encoder sees in addition: each plan, then the object's own sharpness."""


def looked(*position: float, lens=LENS, plans: bool = True):
    encoder = (PlanEncoder if plans else BeliefEncoder)(model(), lens, 1)
    log = MoveLog(lens, 1)
    log.reset(ROW, np.array([position[0]]))
    encoder.reset(ROW, at(position[0], lens))
    for place in position[1:]:
        log.go(np.array([place]))
        encoder.see(ROW, at(place, lens))
    return encoder, log


def at(position: float, lens=LENS):
    """The picture of a lens that focuses as `LENS` does somewhere else, and is itself at ``position``."""
    own = float(MAP.position(np.array([lens.dioptres(position)]))[0])
    return replace(picture(own), position=np.array([position]))


def unseen(position: float):
    """A picture in which no object was detected."""
    nothing = np.full((1, 1), np.nan)
    seen = at(position)
    return replace(
        seen, score=np.zeros(1), detected=np.zeros(1, bool), box=nothing, detail=nothing, place=nothing
    )


def asked(encoder, log, action: int) -> float:
    return float(encoder.position(np.array([[action]]), log)[0])


def falling_lens():
    """The twin's lens with its electrodes the other way round: the focus goes away as the position rises."""
    info = LensInfo.of(LENS)
    return replace(info, map_dioptres=tuple(reversed(info.map_dioptres))).model()


@pytest.mark.parametrize("action", [STRICT, GENTLE])
def test_a_known_focus_is_where_both_plans_go(action):
    encoder, log = looked(30.0, 60.0)
    there = MAP.dioptres(np.array([asked(encoder, log, action)]))[0]
    assert there == pytest.approx(OBJECT_D, abs=1.0 / MAP.px_per_dioptre)


@pytest.mark.parametrize("action", [STRICT, GENTLE])
def test_in_focus_a_plan_stays(action):
    in_focus = float(MAP.position(np.array([OBJECT_D]))[0])
    encoder, log = looked(30.0, 60.0, in_focus)
    assert asked(encoder, log, action) == in_focus
    assert encoder.observation(log)[0, 1 - COLUMNS] == 0.0  # staying costs no more than the strict plan


def test_after_one_picture_the_strict_plan_goes_on_and_does_not_turn_back():
    """The focus may lie on both sides; a lens that came from one side looks on the other first."""
    encoder, log = looked(47.5)
    log.direction[:] = 1.0
    log.reversals[:] = 1
    up = asked(encoder, log, STRICT)
    log.direction[:] = -1.0
    down = asked(encoder, log, STRICT)
    assert down < 47.5 < up


def test_a_lens_whose_map_falls_gets_the_same_plans_mirrored():
    lens = falling_lens()
    ends = LENS.position_min + LENS.position_max
    for places in ((40.0,), (30.0, 40.0), (30.0, 52.0, 45.0)):
        encoder, log = looked(*places)
        mirrored, their_log = looked(*(ends - place for place in places), lens=lens)
        for action in (STRICT, GENTLE):
            expected = ends - asked(encoder, log, action)
            assert asked(mirrored, their_log, action) == pytest.approx(expected, abs=0.15)


def test_plans_follow_each_new_picture_and_each_move():
    """An encoder that was asked after every picture knows no more and no less than one asked at the end."""
    encoder, log = looked(40.0)
    encoder.observation(log)
    for place in (50.0, 44.0, 46.0):
        log.go(np.array([place]))
        encoder.see(ROW, at(place))
        encoder.observation(log)
    late, late_log = looked(40.0, 50.0, 44.0, 46.0)
    np.testing.assert_array_equal(encoder.observation(log), late.observation(late_log))


def test_a_search_follows_the_strict_plan_and_goes_elsewhere_where_that_stays():
    encoder, log = looked(30.0, 60.0)
    assert encoder.search(log)[0] == asked(encoder, log, STRICT)
    in_focus = float(MAP.position(np.array([OBJECT_D]))[0])
    encoder, log = looked(30.0, 60.0, in_focus)
    assert encoder.search(log)[0] == encoder.elsewhere(log)[0] != in_focus


@given(places=st.lists(st.floats(LENS.position_min, LENS.position_max), min_size=1, max_size=6))
def test_a_search_always_goes_somewhere(places):
    encoder, log = looked(*places)
    for place in (encoder.search(log), encoder.elsewhere(log)):
        assert log.would_move(place)[0]
        assert LENS.position_min <= place[0] <= LENS.position_max


def test_what_was_seen_and_done_before_keeps_its_place():
    encoder, log = looked(40.0, 50.0)
    plain, _ = looked(40.0, 50.0, plans=False)
    assert encoder.size == plain.size + COLUMNS
    np.testing.assert_array_equal(encoder.observation(log)[:, :-COLUMNS], plain.observation(log))
    for action in range(ACTIONS):
        assert asked(encoder, log, action) == asked(plain, log, action)


def test_it_sees_and_may_follow_what_the_objects_own_detail_says():
    encoder, log = looked(30.0, 60.0)
    known, sharp, sharpest, look = encoder.observation(log)[0, -4:]
    assert known == 1.0
    assert sharp == pytest.approx(encoder.sharp_probability(log)[0], abs=1e-6)
    for place, seen in ((encoder.sharpest(log), sharpest), (encoder.next_look(log), look)):
        px = (MAP.dioptres(place) - MAP.dioptres(log.position))[0] * MAP.px_per_dioptre
        assert np.sinh(2.0 * seen) == pytest.approx(px, abs=0.01)
    assert asked(encoder, log, LOOK) == encoder.next_look(log)[0]


def test_before_the_object_was_seen_its_own_sharpness_is_unknown():
    encoder, log = looked(30.0)
    encoder.reset(ROW, unseen(30.0))
    assert (encoder.observation(log)[0, -4:-2] == 0.0).all()


def test_a_file_says_whether_its_policy_has_plans():
    numbers = np.zeros(3, np.float32)
    readout = Readout(numbers, np.zeros((3, 1), np.float32), numbers[:1])
    arrays = BeliefFeatureExtractor(readout, readout, readout, model(), WITH_PLAN).arrays()
    again = focus_extractor(WITH_PLAN, "", arrays)
    assert type(again.observation_encoder(LENS, 2)) is PlanEncoder
    assert type(focus_extractor("belief", "", arrays).observation_encoder(LENS, 2)) is BeliefEncoder
