"""Copies of views under disturbances: what they share with their plain views, and who reads them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.cells import ReadingError
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes import SceneSet, splits
from dasha_ros.learning.dataset.scenes.disturbed import disturbed
from dasha_ros.learning.dataset.scenes.splits import copies_of, learned_from
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.learning.envs.focus_batch import ViewSampler
from dasha_ros.learning.evaluation.settings import FOCUS_SETTINGS, exposure_starts
from dasha_ros.learning.training.agents import focus_lookup
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.scene import PhotographLayer, Scene

KINDS = (("a", "plane"), ("b", "composite"), ("c", "plane"), ("d", "plane"))


def plain(name: str, fold: int, kind: str = "plane") -> View:
    info = ViewInfo(name, kind, "cup", (f"{fold}-{name}",), fold=fold)  # type: ignore[arg-type]
    layer = PhotographLayer(kind="photograph", photo=f"{name}.jpg", distance_m=1.0)
    return View(info, Scene(name=name, folder=Path("/"), layers=(layer,)))


@given(
    folds=st.lists(st.integers(0, 4), min_size=3, max_size=12),
    copies=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_copies_are_learned_from_and_never_judged(folds: list[int], copies: int, seed: int) -> None:
    views = [plain(str(i), fold) for i, fold in enumerate([*folds, 0, 1, 2])]
    everything = [*views, *disturbed(views, copies, seed)]
    assert len(everything) == len(views) * (1 + copies)
    infos = [view.info for view in everything]
    assert len({info.name for info in infos}) == len(infos)
    for split, before in zip(splits(infos, 3), splits([v.info for v in views], 3), strict=True):
        for part in ("train", "validation", "test"):
            assert np.array_equal(getattr(split, part), getattr(before, part))
        learned = {p for i in split.train for p in infos[i].photographs}
        mine, tested = copies_of(infos, split.train), copies_of(infos, split.test)
        assert {p for i in mine for p in infos[i].photographs} <= learned
        assert not {p for i in tested for p in infos[i].photographs} & learned
        assert (len(mine), len(tested)) == (copies * len(split.train), copies * len(split.test))
        assert set(mine) <= learned_from(infos, split.number)
        assert not set(tested) & learned_from(infos, split.number)


def test_a_copy_keeps_what_is_asked_for_and_survives_json() -> None:
    view = plain("a", 1)
    (one,) = disturbed([view], 1, seed=7)
    assert (one,) == tuple(disturbed([view, plain("b", 0)], 1, seed=7)[:1])
    assert one.info.disturbance != disturbed([view], 1, seed=8)[0].info.disturbance
    changed = {k for k, v in asdict(one.info).items() if v != asdict(view.info)[k]}
    assert changed - {"mid_grey_lux_seconds"} == {"name", "disturbance"}
    assert View.from_dict(json.loads(json.dumps(one.as_dict()))) == one
    without = {k: v for k, v in view.as_dict()["info"].items() if k != "disturbance"}
    assert ViewInfo.from_dict(without) == view.info, "a cache of before has no such field"


def test_a_sampler_draws_the_share_that_is_asked_for() -> None:
    class Shown:
        views = tuple(plain(name, 0, kind).info for name, kind in KINDS)

    rng = np.random.default_rng(0)
    sampler = ViewSampler.of(Shown(), np.array([0, 1]), 0.4, np.array([2, 3]), 0.3)
    drawn = sampler(4000, rng)
    assert (drawn >= 2).mean() == pytest.approx(0.3, abs=0.03)
    assert (drawn[drawn < 2] == 1).mean() == pytest.approx(0.4, abs=0.03)
    assert set(ViewSampler.of(Shown(), np.array([0, 1]), 0.4, np.array([2, 3]))(100, rng)) == {0, 1}


@pytest.fixture(scope="module")
def both(few_views: SceneSet, tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    scene_set = few_views.model_copy(update={"disturbed": 1})
    return build_cache(scene_set, tmp_path_factory.mktemp("both"), workers=1, grids=Grids.tiny())


def test_a_cache_holds_plain_views_as_before_and_copies_that_look_different(
    few_cache: PerceptCache, both: PerceptCache
) -> None:
    count = len(few_cache.views)
    assert both.views[:count] == few_cache.views
    assert len(both.views) == 2 * count
    assert both.meta.key != few_cache.meta.key
    rows = len(few_cache.fields["score"])
    for name, values in few_cache.fields.items():
        assert np.array_equal(both.fields[name][: len(values)], values, equal_nan=True), name
    copied = both.fields["latent_grid"][rows:].astype(np.float32)
    assert copied.shape == few_cache.fields["latent_grid"].shape
    apart = np.abs(copied - few_cache.fields["latent_grid"].astype(np.float32)).mean(axis=1)
    assert (apart > 0.0).all()


def test_a_preset_that_wants_disturbances_is_refused_where_there_are_none(few_cache: PerceptCache) -> None:
    train = np.arange(len(few_cache.views))
    with pytest.raises(
        ReadingError, match=r"plus_disturbed learns under .* `dasha cache build --disturbed 1`"
    ):
        focus_lookup(few_cache, load_preset("plus_disturbed"), train, None)


def test_only_the_settings_under_disturbances_show_copies(both: PerceptCache) -> None:
    shown = {setting.name: [setting.shows(view) for view in both.views] for setting in FOCUS_SETTINGS}
    for number, view in enumerate(both.views):
        names = {name for name, shows in shown.items() if shows[number]}
        assert names
        assert all(("disturbed" in name) == (view.disturbance is not None) for name in names)
    starts = exposure_starts(
        both.views, range(len(both.views)), per_view=1, seed=0, lens=lens_model(), table=exposure_table()
    )
    assert {both.views[start.view].disturbance for start in starts} == {None}


def test_the_default_makes_the_same_cache_as_before(few_views: SceneSet, few_cache: PerceptCache) -> None:
    again = build_cache(few_views, Path(few_cache.path), workers=1, grids=Grids.tiny())
    assert again.meta.key == few_cache.meta.key
