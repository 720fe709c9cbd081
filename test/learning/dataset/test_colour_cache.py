"""What a cache holds of red and blue: the twin's own colour camera is the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.estimation.colour_sign import colour_ratio
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.learning.dataset.cache.axes import Grid, Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.colour_camera import FARTHER, NEARER
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes import SceneSet
from dasha_ros.learning.dataset.scenes.scene_file import scene_text
from dasha_ros.learning.fitting.colour import ColourRatios, ReadingError
from dasha_ros.perception.detectors.elsewhere import Elsewhere
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.world import World

CAPTURE = CaptureInfo(1, 1_000.0, 0.0, NO_COMMAND, 1)
LENS = LensState(NO_COMMAND, 40.0, 40.0, True, 0)
_NEAR = (-9.5, -0.18, 0.0, 0.18, 9.5)
GRIDS = Grids(
    focus=Grid((0.0, 0.18, 9.5), _NEAR, (-1.2, 0.0, 1.0), 1),
    light=Grid((0.0, 3.0), _NEAR, (-9.0, -1.2, 1.0, 5.0), 1),
    grey=Grid((0.0, 3.0), _NEAR, tuple(float(i) for i in range(-13, 9))),
)
SHIFT = 0.18
"""1.6 px of blur."""


@pytest.fixture(scope="module")
def colour_cache(few_views: SceneSet, tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    return build_cache(few_views, tmp_path_factory.mktemp("colour"), workers=1, grids=GRIDS, colour=True)


def seen(cache: PerceptCache, view: int, defocus: float, ev: float = 0.0) -> np.ndarray:
    percept = cache.percept(view, defocus, ev, 0, capture=CAPTURE, lens=LENS)
    box = cache.lookup(view, 0.0, 0.0, 0, ["box"])["box"][0]
    return colour_ratio(percept.colour_detail, box)


def test_red_is_sharper_where_the_lens_is_focused_nearer(colour_cache: PerceptCache) -> None:
    for view in range(len(colour_cache.views)):
        nearer, farther = seen(colour_cache, view, SHIFT), seen(colour_cache, view, -SHIFT)
        assert (nearer - farther)[:2].min() > 0.2


def test_the_two_depths_of_a_composite_are_on_one_side_each(colour_cache: PerceptCache) -> None:
    (view,) = (i for i, v in enumerate(colour_cache.views) if v.kind == "composite")
    fields = colour_cache.lookup(view, SHIFT, 0.0, 0, ["object_colour"])["object_colour"][0]
    np.testing.assert_array_equal(fields[NEARER], fields[FARTHER])


def test_the_twins_colour_camera_shows_the_same(colour_cache: PerceptCache, tmp_path: Path) -> None:
    view = next(i for i, v in enumerate(colour_cache.views) if v.label == "motorcycle")
    info, scene = colour_cache.views[view], colour_cache.scenes[view]
    perception = Perception("efficientnet_lite0_grid", Elsewhere("none"), colour_detail=True)
    exposure_us = 10_000.0
    described = tmp_path / "scene.yaml"
    described.write_text(scene_text(scene))
    world = World(str(described), info.mid_grey_lux_seconds / exposure_us * 1e6, scene.distances_m)
    rig = TwinRig(perception, world, encoding="rgb8", hysteresis=0.0)
    box = colour_cache.lookup(view, 0.0, 0.0, 0, ["box"])["box"][0]
    for defocus in (-SHIFT, SHIFT):
        rig.place(world, rig.lens.position(1.0 / info.distance_m + defocus), exposure_us)
        found = colour_ratio(rig.observe().colour_detail, box)
        np.testing.assert_allclose(found, seen(colour_cache, view, defocus), atol=0.25)


def test_all_else_is_as_without_colour(
    colour_cache: PerceptCache, few_views: SceneSet, tmp_path: Path
) -> None:
    grey = build_cache(few_views, tmp_path, workers=1, grids=GRIDS)
    assert colour_cache.fields.keys() - grey.fields.keys() == {"box_colour", "object_colour"}
    for name, array in grey.fields.items():
        assert np.array_equal(array, colour_cache.fields[name], equal_nan=True), name
    percept = grey.percept(0, 0.0, 0.0, 0, capture=CAPTURE, lens=LENS)
    assert len(percept.colour_detail) == 0
    with pytest.raises(ReadingError, match="dasha cache build --colour"):
        ColourRatios(grey)
    with pytest.raises(CacheError, match="colour"):
        build_cache(few_views, tmp_path, workers=1, grids=GRIDS, colour=True)


def test_pictures_too_dark_for_the_lens_hold_no_colours(colour_cache: PerceptCache) -> None:
    assert len(colour_cache.percept(0, 0.0, -6.0, 0, capture=CAPTURE, lens=LENS).colour_detail) == 0


def test_a_ratio_is_of_the_box_where_there_is_one(colour_cache: PerceptCache) -> None:
    ratios = ColourRatios(colour_cache)
    rows, weights = np.array([[0], [0]]), np.ones((2, 1))
    side = np.array([0.5, -0.5])
    found = ratios.around(rows, weights, side, np.array([True, False]))
    np.testing.assert_allclose(found[0], ratios.box[0, NEARER])
    np.testing.assert_allclose(found[1], ratios.place[0, FARTHER])
