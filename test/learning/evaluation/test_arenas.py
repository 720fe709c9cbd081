"""The arena over a percept cache."""

from __future__ import annotations

import pytest
from analytic_cache import analytic_cache

from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.evaluation.evaluate import play_exposure, play_focus
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.rivals.auto_exposure import OnceExposure
from dasha_ros.policies.rivals.constant import ConstantFocus
from dasha_ros.policies.rivals.golden_section import GoldenSectionFocus

LENS = lens_model()


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    return CacheArena(analytic_cache(tmp_path_factory.mktemp("cache") / "c"))


def start(**changes):
    values = {
        "view": 0, "position": 60.0, "object_dioptres": 2.0, "drift_dioptres": 0.0, "illuminance_lx": 100.0,
        "exposure_us": 20_000.0, "seed": 1,
    }  # fmt: skip
    return Start(**(values | changes))


def test_a_plane_is_focused_at_any_distance(arena):
    for dioptres in (0.1, 1.0, 3.3):
        trial = play_focus(arena, GoldenSectionFocus(), start(object_dioptres=dioptres))
        assert trial.code is ErrorCode.NONE
        assert trial.blur_px <= 1.5
        assert trial.frames == trial.moves_settled + 1


def test_drift_moves_the_truth(arena):
    trial = play_focus(arena, ConstantFocus(LENS.position(2.0)), start(drift_dioptres=0.4))
    assert trial.blur_px == pytest.approx(LENS.blur_px(0.4, 0.0), abs=0.4)


def test_two_depths_keep_their_separation(arena):
    view = arena.views[6]
    assert view.kind == "composite"
    own = 1.0 / view.distance_m
    for at in (own, own + 0.1):
        trial = play_focus(
            arena, ConstantFocus(LENS.position(at)), start(view=6, object_dioptres=at, position=41.0)
        )
        assert trial.detected
        assert trial.blur_px <= 0.5


def test_equal_starts_give_equal_trials(arena):
    first = play_focus(arena, GoldenSectionFocus(), start())
    play_focus(arena, ConstantFocus(70.0), start(view=3))
    again = play_focus(arena, GoldenSectionFocus(), start())
    assert (first.positions, first.blur_px, first.seconds) == (again.positions, again.blur_px, again.seconds)


def test_exposure_is_relative_to_the_views_mid_grey(arena):
    good = play_exposure(arena, OnceExposure(), start(illuminance_lx=100.0, exposure_us=20_000.0))
    assert (good.steps, good.well_exposed) == (0, True)
    dark = play_exposure(arena, OnceExposure(), start(illuminance_lx=100.0, exposure_us=500.0))
    assert dark.steps > 0
    assert dark.well_exposed
    assert dark.good_peak


def test_both_agents_or_none(arena):
    dark = start(exposure_us=100.0, position=45.0)
    alone = play_focus(arena, GoldenSectionFocus(), dark)
    both = play_focus(arena, GoldenSectionFocus(), dark, exposure=OnceExposure())
    assert not alone.detected
    assert both.detected
    assert both.frames > alone.frames
    from dasha_ros.policies.rivals.constant import ConstantExposure

    stuck = play_focus(arena, GoldenSectionFocus(), dark, exposure=ConstantExposure(24.0))
    assert stuck.code is ErrorCode.EXPOSURE_NOT_REACHED
    assert (stuck.moves_settled, stuck.positions) == (0, (45.0,)), (
        "the lens rests until the picture is usable"
    )


def test_latents_are_those_that_the_policy_reads(arena):
    arena.place(start(), "analytic")
    assert len(arena.rig.observe().latent) == 4
    arena.place(start(), "analytic_small")
    assert arena.rig.observe().encoder == "analytic_small"
    arena.place(start(), "analytic_small+analytic")
    assert len(arena.rig.observe().latent) == 6
    arena.place(start())
    assert len(arena.rig.observe().latent) == 2, "the smallest where nobody reads them"
    with pytest.raises(ValueError, match="resnet152"):
        arena.place(start(), "resnet152")


def test_an_empty_arena_says_so(arena):
    with pytest.raises(RuntimeError, match="place"):
        CacheArena(arena._cache).rig  # noqa: B018
