from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dasha_ros.perception.quality.sharpness import Sharpness


def by_definition(image):
    """Sobel by its kernels, borders repeated without the edge pixel (OpenCV's default)."""
    padded = np.pad(image.astype(float), 1, mode="reflect")
    kernel = np.outer([1, 2, 1], [-1, 0, 1])
    rows, columns = image.shape
    gradients = [
        sum(k[i, j] * padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3))
        for k in (kernel, kernel.T)
    ]
    return sum(g**2 for g in gradients)


@given(arrays(np.uint8, (12, 17)))
def test_frame_equals_the_definition(image):
    expected = by_definition(image).mean() / max(1.0, image.mean()) ** 2
    assert Sharpness(image).frame() == pytest.approx(expected)


@given(
    arrays(np.uint8, (20, 20)),
    st.tuples(*[st.floats(-10, 30)] * 4),
)
def test_box_equals_the_definition_of_its_pixels(image, corners):
    x_min, x_max = sorted(corners[:2])
    y_min, y_max = sorted(corners[2:])
    left, top = max(0, int(x_min)), max(0, int(y_min))
    window = np.s_[top : max(0, int(np.ceil(y_max))), left : max(0, int(np.ceil(x_max)))]
    pixels = image[window]
    found = Sharpness(image).box((x_min, y_min, x_max, y_max))
    if pixels.size == 0:
        assert found == 0.0
    else:
        expected = by_definition(image)[window].mean() / max(1.0, pixels.mean()) ** 2
        assert found == pytest.approx(expected)


def test_steepest_edge_does_not_overflow():
    image = np.zeros((8, 8), np.uint8)
    image[:, 4:] = 255
    expected = by_definition(image).mean() / image.mean() ** 2
    assert Sharpness(image).frame() == pytest.approx(expected)


def test_falls_with_blur_but_not_with_exposure():
    random = np.random.default_rng(1)
    scene = cv2.GaussianBlur(random.uniform(0, 255, (120, 160)), (0, 0), 1.5)
    scene = (scene - scene.min()) / np.ptp(scene) * 120
    values = [Sharpness(cv2.GaussianBlur(scene, (0, 0), s).astype(np.uint8)).frame() for s in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 5 * values[-1]
    bright, dim = (Sharpness(np.rint(scene * f).astype(np.uint8)).frame() for f in (2, 1))
    assert bright == pytest.approx(dim, rel=0.02)


def test_black_image_has_no_sharpness():
    assert Sharpness(np.zeros((10, 10), np.uint8)).frame() == 0.0
