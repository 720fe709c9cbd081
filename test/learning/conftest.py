"""Percept caches of a few cells, made of photographs that every installation has."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.assets import models
from dasha_ros.assets.catalogue import AssetMissing, asset
from dasha_ros.learning.dataset.cache.axes import Grid, Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes import SceneSet
from dasha_ros.learning.dataset.scenes.description import Composites, Framing, Planes

NEEDED = (
    "photos/motorcycle_left.png", "photos/zidane.jpg", "photos/china.jpg",
    models.YOLOV3_TINY, models.BRISQUE,
    models.EFFICIENTNET_LITE0, models.EFFICIENTNET_LITE0_GRID, models.EFFICIENTNET_LITE0_EARLY,
)  # fmt: skip


@pytest.fixture(scope="session")
def few_views() -> SceneSet:
    """Two planes, a picture without an object, and a composite, in one fold."""
    try:
        for name in NEEDED:
            asset(name)
    except AssetMissing as error:
        pytest.skip(str(error))
    return SceneSet(
        name="few",
        folder=Path("/"),
        seed=3,
        folds=1,
        min_score=0.3,
        planes=Planes(photographs=["photos/motorcycle_left.png", "photos/zidane.jpg", "photos/china.jpg"]),
        composites=Composites(
            objects=["photos/zidane.jpg"], backgrounds=["photos/china.jpg"], count=1, contrast_misleads=False
        ),
    )


@pytest.fixture(scope="session")
def few_cache(few_views: SceneSet, tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    """`few_views`, with hardly any cells."""
    return build_cache(few_views, tmp_path_factory.mktemp("few"), workers=1, grids=Grids.tiny())


@pytest.fixture(scope="session")
def motorcycle_cache(few_views: SceneSet, tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    """One plane, its focus grid as fine as the default one, so that look-ups are as good."""
    default = Grids()
    near = (-9.5, 0.0, 9.5)
    grids = Grids(
        focus=Grid(default.focus.plane, near, default.focus.ev),
        light=Grid((0.0, 3.0), near, default.light.ev, default.light.draws),
        grey=Grid(default.grey.plane, near, default.grey.ev),
    )
    planes = Planes(photographs=["photos/motorcycle_left.png"], framings=[Framing(zoom=0.6)])
    scene_set = few_views.model_copy(update={"planes": planes, "composites": None})
    return build_cache(scene_set, tmp_path_factory.mktemp("one"), workers=1, grids=grids)
