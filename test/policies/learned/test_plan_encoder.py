"""Plans as observation and action of A^L: made from what is known now, on any lens, and optional in files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_curves import LENS, MAP, OBJECT_D, ROW, model, picture

from dasha_ros.estimation.readout import Readout
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.policies.learned.belief_encoder import ACTIONS, BeliefEncoder
from dasha_ros.policies.learned.focus_features import WITH_PLAN, BeliefFeatureExtractor, focus_extractor
from dasha_ros.policies.learned.plan_encoder import PLANS, STRICT, PlanEncoder
from dasha_ros.policies.moves import MoveLog

GENTLE = STRICT + 1
COLUMNS = 2 * len(PLANS)


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
    assert encoder.observation(log)[0, -3] == 0.0  # staying costs no more than the strict plan


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


def test_what_was_seen_and_done_before_keeps_its_place():
    encoder, log = looked(40.0, 50.0)
    plain, _ = looked(40.0, 50.0, plans=False)
    assert encoder.size == plain.size + COLUMNS
    np.testing.assert_array_equal(encoder.observation(log)[:, :-COLUMNS], plain.observation(log))
    for action in range(ACTIONS):
        assert asked(encoder, log, action) == asked(plain, log, action)


def test_a_file_says_whether_its_policy_has_plans():
    numbers = np.zeros(3, np.float32)
    readout = Readout(numbers, np.zeros((3, 1), np.float32), numbers[:1])
    arrays = BeliefFeatureExtractor(readout, readout, readout, model(), WITH_PLAN).arrays()
    again = focus_extractor(WITH_PLAN, "", arrays)
    assert type(again.observation_encoder(LENS, 2)) is PlanEncoder
    assert type(focus_extractor("belief", "", arrays).observation_encoder(LENS, 2)) is BeliefEncoder
