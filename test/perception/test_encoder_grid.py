"""The grid of early statistics, and joint encoders."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from efficientnet_reference import photograph

from dasha_ros.assets import models
from dasha_ros.perception.encoders import create_encoder
from dasha_ros.perception.encoders.efficientnet_lite import (
    EfficientNetLite0,
    EfficientNetLite0Early,
    EfficientNetLite0Grid,
)
from dasha_ros.perception.encoders.joint import SIZES, JointEncoder, has_part, part
from dasha_ros.perception.errors import ModelError

ROWS, COLUMNS, CHANNELS = 4, 7, 112
JOINT = "efficientnet_lite0+efficientnet_lite0_grid"


@pytest.fixture
def grid(fetched):
    fetched(models.EFFICIENTNET_LITE0_GRID)
    return EfficientNetLite0Grid(threads=1)


@pytest.fixture
def picture():
    pytest.importorskip("skimage")
    return cv2.resize(photograph(448), (640, 340))


def cells(latent):
    return latent.reshape(ROWS * COLUMNS, 2, CHANNELS).astype(np.float64)


def test_pooled_over_all_cells_it_is_the_early_latent(grid, picture, fetched):
    fetched(models.EFFICIENTNET_LITE0_EARLY)
    early = EfficientNetLite0Early(threads=1).encode(picture)
    means, deviations = cells(grid.encode(picture)).transpose(1, 0, 2)
    # The law of total variance: cells are of one size.
    variance = (deviations**2).mean(axis=0) + means.var(axis=0)
    np.testing.assert_allclose(means.mean(axis=0), early[:CHANNELS], atol=1e-4)
    np.testing.assert_allclose(np.sqrt(variance), early[CHANNELS:], atol=1e-3)


def test_a_cell_depends_only_on_its_own_place(grid, picture):
    changed = picture.copy()
    changed[170:, :320] = cv2.GaussianBlur(changed, (0, 0), 4)[170:, :320]
    difference = np.abs(cells(grid.encode(picture)) - cells(grid.encode(changed))).mean(axis=(1, 2))
    moved = difference.reshape(ROWS, COLUMNS)
    assert moved[:1].max() < 1e-3
    assert moved[:, 5:].max() < 1e-3
    assert moved[2:, :3].min() > 0.01


@pytest.mark.parametrize("shape", [(340, 640), (480, 640), (640, 480), (40, 300)])
def test_any_frame_gives_the_same_number_of_cells(grid, shape):
    latent = grid.encode(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    assert latent.shape == (grid.size,) == (ROWS * COLUMNS * 2 * CHANNELS,)
    assert np.isfinite(latent).all()


def test_a_joint_latent_is_split_into_its_parts(grid, picture, fetched):
    fetched(models.EFFICIENTNET_LITE0)
    joint = create_encoder(JOINT, threads=1)
    latent = joint.encode(picture)
    assert joint.id == JOINT
    assert latent.shape == (joint.size,)
    assert latent.dtype == np.float32
    last = EfficientNetLite0(threads=1)
    for alone in (last, grid):
        np.testing.assert_array_equal(part(latent, joint.id, alone.id), alone.encode(picture))
        assert has_part(joint.id, alone.id)
        assert SIZES[alone.id] == alone.size


def test_a_latent_alone_is_its_own_part():
    latent = np.arange(3, dtype=np.float32)
    assert part(latent, "custom", "custom") is latent
    assert has_part("custom", "custom")
    assert not has_part("efficientnet_lite0_early", "efficientnet_lite0")


def test_many_latents_are_split_at_once():
    latents = np.zeros((5, SIZES["efficientnet_lite0"] + SIZES["efficientnet_lite0_grid"]), np.float32)
    latents[:, 1280:] = 1.0
    assert part(latents, JOINT, "efficientnet_lite0_grid").min() == 1.0
    assert part(latents, JOINT, "efficientnet_lite0").max() == 0.0


def test_a_missing_part_of_a_latent_is_refused():
    with pytest.raises(
        ModelError, match=r"does not contain resnet152: set perception's `encoder` to resnet152 \(or "
    ):
        part(np.zeros(7552, np.float32), JOINT, "resnet152")
    with pytest.raises(ModelError, match="has 7552 numbers, this one 10"):
        part(np.zeros(10, np.float32), JOINT, "efficientnet_lite0")


def test_an_encoder_joined_with_itself_is_refused():
    class Fake:
        id, size = "fake", 1

    with pytest.raises(ModelError, match="twice"):
        JointEncoder([Fake(), Fake()])
