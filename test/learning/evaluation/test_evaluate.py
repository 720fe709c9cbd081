"""Episodes with the truth beside them, in the twin, on a made-up scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cards import CardPerception
from studio import Studio

from dasha_ros.learning.dataset.scenes.scene_file import scene_text
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.learning.evaluation.arenas import TwinArena
from dasha_ros.learning.evaluation.evaluate import play_exposure, play_focus
from dasha_ros.learning.evaluation.settings import (
    AFTER_A_H_EV,
    FOCUS_SETTINGS,
    LIGHT_LX,
    Start,
    exposure_starts,
    focus_setting,
    focus_starts,
)
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.moves import reversals
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.rivals.constant import ConstantExposure, ConstantFocus
from dasha_ros.policies.rivals.sweep import SweepFocus
from dasha_ros.policies.search import ScriptedFocus
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.stress.disturbance import Disturbance

LENS, TABLE = lens_model(), exposure_table()


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("scene"))
    scene = load_scene(studio.card_before(studio.texture("card.png", 1), studio.texture("wall.png", 2)))
    infos = [
        ViewInfo("composite/card", "composite", "card", ("card.png", "wall.png"), 1.8, (0.5, 5.0), 0,
                 mid_grey_lux_seconds=2.0),
        ViewInfo("composite/wall", "composite", "wall", ("card.png", "wall.png"), -1.8, (0.5, 5.0), 1,
                 mid_grey_lux_seconds=2.0),
    ]  # fmt: skip
    return TwinArena([View(info, scene) for info in infos], CardPerception(), (320, 170))


def start(**changes):
    values = {
        "view": 0, "position": 30.0, "object_dioptres": 2.0, "drift_dioptres": 0.0, "illuminance_lx": 100.0,
        "exposure_us": 20_000.0, "seed": 1,
    }  # fmt: skip
    return Start(**(values | changes))


def views(count=3, kind="plane"):
    return [
        ViewInfo(f"{kind}/{i}", kind, "cat", (f"{i}.png",), distances_m=(1.0,), mid_grey_lux_seconds=2.0)
        for i in range(count)
    ]


def shown(count, setting):
    disturbance = Disturbance(gamma=1.5) if setting.disturbed else None
    return [replace(view, disturbance=disturbance) for view in views(count, setting.kind)]


class Moves(ScriptedFocus):
    name = "moves"

    def __init__(self, position):
        super().__init__()
        self._position = position

    def search(self, task, first):
        percept = first
        for position in self._position:
            percept = yield position
        return bool(percept.of(task.labels))


def test_a_trial_tells_what_happened(arena):
    sharp = LENS.position(2.0)
    trial = play_focus(arena, Moves([sharp + 3, sharp - 1, sharp + 0.02, sharp + 0.03]), start())
    assert trial.code is ErrorCode.NONE
    assert trial.detected
    assert trial.blur_px < 0.5
    assert trial.focused
    assert (trial.moves_first, trial.moves_settled, trial.frames) == (3, 4, 5)
    assert trial.reversals == 2
    assert trial.actuations == 3, "the last move is less than a step of the driver board"
    assert trial.positions == (30.0, sharp + 3, sharp - 1, sharp + 0.02, sharp + 0.03)
    assert trial.seconds == pytest.approx(5 * 0.02 + 0.2, abs=0.2)
    assert trial.decide_ms > 0.0


def test_blur_is_the_truth_of_the_start(arena):
    for at, drift in ((2.0, 0.0), (1.9, 0.0), (2.05, 0.3), (2.05, -0.2)):
        position = LENS.position(at - drift)
        trial = play_focus(arena, Moves([position]), start(object_dioptres=at, drift_dioptres=drift))
        assert trial.blur_px < 0.35, (at, drift)
    off = play_focus(arena, Moves([LENS.position(2.0)]), start(object_dioptres=2.0, drift_dioptres=0.5))
    assert off.blur_px == pytest.approx(LENS.blur_px(0.5, 0.0), abs=0.35)


def test_what_was_asked_for_decides(arena):
    near = play_focus(arena, CoarseToFineFocus(), start())
    far = play_focus(arena, CoarseToFineFocus(), start(view=1, object_dioptres=0.2))
    assert near.focused
    assert far.focused
    assert near.positions[-1] - far.positions[-1] == pytest.approx(1.8 / 0.31, abs=0.6)


def test_a_start_in_focus_is_first_in_focus_after_no_move(arena):
    trial = play_focus(arena, Moves([60.0]), start(position=LENS.position(2.0)))
    assert trial.moves_first == 0
    assert not trial.focused
    assert play_focus(arena, Moves([60.0]), start()).moves_first is None


def test_equal_starts_give_equal_trials_whatever_was_played_before(arena):
    first = play_focus(arena, ConstantFocus(46.0), start())
    play_focus(arena, SweepFocus(2.0), start(view=1, object_dioptres=0.3))
    again = play_focus(arena, ConstantFocus(46.0), start())
    assert (first.blur_px, first.positions, first.seconds) == (again.blur_px, again.positions, again.seconds)


def test_no_policy_is_cut_off_before_600_moves(arena):
    trial = play_focus(arena, Moves([40.0 + (i % 2) for i in range(30)]), start(), max_moves=9)
    assert (trial.moves_settled, trial.code) == (9, ErrorCode.STEPS_EXHAUSTED)


def test_an_exposure_trial(arena):
    dark = start(exposure_us=24.0, position=46.0)
    good = play_exposure(arena, HistogramExposure(), dark)
    assert good.code is ErrorCode.NONE
    assert good.well_exposed
    assert 1 <= good.steps <= 5
    bad = play_exposure(arena, ConstantExposure(24.0), dark)
    assert not bad.well_exposed
    assert bad.code is ErrorCode.EXPOSURE_NOT_REACHED
    assert bad.illuminance_lx == 100.0


@pytest.mark.parametrize("setting", FOCUS_SETTINGS, ids=lambda s: s.name)
def test_starts_are_inside_their_setting(setting):
    kind = setting.kind
    starts = focus_starts(setting, shown(5, setting), range(5), per_view=40, seed=3, lens=LENS, table=TABLE)
    assert len(starts) == 200
    assert all(24.0 <= s.position <= 70.0 for s in starts)
    assert all(LIGHT_LX[0] <= s.illuminance_lx <= LIGHT_LX[1] for s in starts)
    assert all(s.exposure_us in TABLE.values_us for s in starts)
    evs = np.log2([s.exposure_us * s.illuminance_lx / 2e6 for s in starts])
    if setting.any_exposure:
        assert evs.min() < -6.0 < 4.0 < evs.max()
    else:
        assert evs.min() >= AFTER_A_H_EV[0] - 0.06
        assert evs.max() <= AFTER_A_H_EV[1] + 0.06
    if kind == "plane":
        near, far = (1.0 / m for m in setting.band_m)
        assert all(far <= s.object_dioptres <= near for s in starts)
    drifts = [s.drift_dioptres for s in starts]
    assert max(map(abs, drifts)) <= setting.drift_dioptres
    assert (np.std(drifts) > 0.06) == (setting.drift_dioptres > 0)


def test_a_dark_photograph_has_the_light_that_its_exposure_needs():
    # Mid grey takes 40 lx for the longest exposure, which few of 13 to 300 lx are below.
    dark = [replace(view, mid_grey_lux_seconds=40.0 * TABLE.t_max_us * 1e-6) for view in views(1)]
    for setting in FOCUS_SETTINGS:
        if setting.any_exposure or setting.kind != "plane":
            continue
        seen = [replace(view, disturbance=shown(1, setting)[0].disturbance) for view in dark]
        starts = focus_starts(setting, seen, [0], per_view=200, seed=3, lens=LENS, table=TABLE)
        evs = np.log2(
            [s.exposure_us * 1e-6 * s.illuminance_lx / dark[0].mid_grey_lux_seconds for s in starts]
        )
        assert evs.min() >= AFTER_A_H_EV[0] - 0.06
        assert evs.max() <= AFTER_A_H_EV[1] + 0.06
        assert any(s.exposure_us == TABLE.t_max_us for s in starts)


def test_every_view_has_the_same_number_of_episodes_whatever_the_others_are():
    setting = focus_setting("planes_wide")
    few = focus_starts(setting, views(9), [4], per_view=3, seed=0, lens=LENS, table=TABLE)
    many = focus_starts(setting, views(9), range(9), per_view=3, seed=0, lens=LENS, table=TABLE)
    assert [s for s in many if s.view == 4] == few
    other = focus_starts(setting, views(9), [4], per_view=3, seed=1, lens=LENS, table=TABLE)
    assert other != few


def test_views_of_the_other_kind_are_left_out():
    mixed = [*views(2), *views(2, "composite")]
    starts = focus_starts(
        focus_setting("two_depths"), mixed, range(4), per_view=2, seed=0, lens=LENS, table=TABLE
    )
    assert {s.view for s in starts} == {2, 3}


def test_two_depths_stay_as_far_apart_as_they_were_and_this_side_of_50_m():
    view = ViewInfo("c", "composite", "cat", ("a", "b"), 1.0, (1.0 / 1.05, 20.0), 0, mid_grey_lux_seconds=2.0)
    starts = focus_starts(
        focus_setting("two_depths"), [view], [0], per_view=100, seed=0, lens=LENS, table=TABLE
    )
    background = [s.object_dioptres - 1.0 for s in starts]
    assert min(background) >= 0.02 - 1e-9
    assert max(background) <= 0.05 + 0.1


def test_exposure_starts_cover_light_and_table():
    starts = exposure_starts(views(4), range(4), per_view=100, seed=0, lens=LENS, table=TABLE)
    assert {TABLE.nearest(s.exposure_us) for s in starts} > set(range(10, 140, 20))
    assert min(s.illuminance_lx for s in starts) < 20 < 200 < max(s.illuminance_lx for s in starts)


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="planes_wide"):
        focus_setting("sideways")


def test_an_arena_needs_views():
    with pytest.raises(ValueError, match="no view"):
        TwinArena([], CardPerception())


def test_a_scene_can_stand_in_another_folder(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    studio = Studio(here)
    scene = load_scene(studio.card_before(studio.texture("card.png", 1), "photos/china.jpg"))
    (path := there / "again.yaml").write_text(scene_text(scene))
    again = load_scene(path)
    assert again.layers[0].photo == str((here / "card.png").resolve())
    assert again.layers[1].photo == "photos/china.jpg", "assets keep their names"
    assert again.distances_m == scene.distances_m


@pytest.mark.parametrize(
    ("positions", "count"),
    [
        ([40], 0),
        ([40, 41, 42], 0),
        ([40, 41, 40.5], 1),
        ([40, 41, 40.8, 41.5], 0),
        ([40, 44, 42, 43], 2),
        ([40, 44, 43.9, 43.8, 43, 43.0], 1),
    ],
)
def test_reversals_by_hand(positions, count):
    assert reversals(LENS, positions) == count
