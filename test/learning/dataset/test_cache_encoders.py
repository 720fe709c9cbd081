"""Which latents a cache holds, and that those left out change nothing else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.cell_content import encoders_for, pooled
from dasha_ros.learning.dataset.cache.cells import ReadingError, latent_field
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes import SceneSet
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.perception.encoders import create_encoder


def test_the_early_latent_is_the_grid_pooled(few_views: SceneSet) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (340, 640), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 3.0)
    expected = create_encoder("efficientnet_lite0_early").encode(picture)
    assert pooled(create_encoder("efficientnet_lite0_grid").encode(picture)) == pytest.approx(
        expected, abs=1e-3
    )


def test_without_the_last_layer_all_else_is_the_same(
    few_cache: PerceptCache, few_views: SceneSet, tmp_path: Path
) -> None:
    """What `plus` learns from is computed in a fifth less time."""
    lean = build_cache(
        few_views, tmp_path, 1, grids=Grids.tiny(), encoders=encoders_for(load_preset("plus").encoder)
    )
    assert few_cache.fields.keys() - lean.fields.keys() == {"latent"}
    for name, array in lean.fields.items():
        assert np.array_equal(array, few_cache.fields[name], equal_nan=True), name
    with pytest.raises(ReadingError, match="not of efficientnet_lite0: build one that does"):
        latent_field(lean, load_preset("paper").encoder)
    with pytest.raises(CacheError, match="another cache"):
        build_cache(few_views, tmp_path, 1, grids=Grids.tiny())
