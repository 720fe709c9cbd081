"""The map of detail: energies of known pictures, and how they change with blur and with a response curve."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels import KERNELS

from dasha_ros.estimation.detail_reading import CORE, core_cells, object_detail
from dasha_ros.perception.quality.detail import BANDS, COLUMNS, ROWS, SHAPE, codes, log_energies
from dasha_ros.perception.quality.detail_map import detail_map

WHOLE = np.array([0.0, 0.0, 1.0, 1.0])


def texture(seed=0, size=(340, 640)):
    """Dead leaves: overlapping discs of many sizes, like photographs in their spectrum."""
    rng = np.random.default_rng(seed)
    picture = np.zeros(size, np.float32)
    for radius in np.sort(np.exp(rng.uniform(np.log(2.0), np.log(60.0), 900)))[::-1]:
        centre = int(rng.integers(size[1])), int(rng.integers(size[0]))
        cv2.circle(picture, centre, round(radius), float(rng.uniform(0.05, 0.8)), -1, cv2.LINE_AA)
    return picture


def grey(light, gamma=1.0, noise=0.5, seed=0):
    levels = 255.0 * np.clip(light, 0.0, 1.0) ** (1.0 / gamma)
    levels = levels + np.random.default_rng(seed).normal(0.0, noise, light.shape)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def test_the_finest_band_is_the_mean_square_of_the_laplacian():
    picture = np.random.default_rng(0).integers(0, 256, (ROWS * 8, COLUMNS * 8)).astype(np.uint8)
    padded = np.pad(picture.astype(np.float64), 1, mode="reflect")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4.0 * picture
    means = (laplacian**2).reshape(ROWS, 8, COLUMNS, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(log_energies(detail_map(picture)[:, :, 0]), np.log(means + 0.02), atol=0.04)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (340, 640), (679, 537), (544, 1024)])
def test_a_picture_of_any_size_has_a_map(size):
    found = detail_map(np.full(size, 90, np.uint8))
    assert found.shape == SHAPE
    assert found.dtype == np.uint8
    assert not found.any(), "one grey level has no detail"


def test_bytes_hold_the_logarithms_within_their_rounding():
    logarithms = np.linspace(-3.5, 13.5, 200)
    np.testing.assert_allclose(log_energies(codes(logarithms)), logarithms, atol=0.037)
    assert codes(np.array([np.nan, -99.0, 99.0])).tolist() == [0, 0, 255]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_detail_falls_with_blur_whatever_the_kernel_and_the_response(kernel, gamma):
    light = texture()
    course = [
        object_detail(detail_map(grey(cv2.filter2D(light, -1, KERNELS[kernel](r)), gamma)), WHOLE)
        for r in (0.5, 2.0, 4.0, 8.0)
    ]
    steps = np.diff(np.array(course), axis=0)
    assert (steps[:2, :3] < 0.0).all()
    assert (steps.sum(axis=1) < 0.0).all()


def test_a_response_curve_changes_contrast_but_hardly_the_ratios():
    light = cv2.filter2D(texture(1), -1, KERNELS["disc"](3.0))
    linear, webcam = (object_detail(detail_map(grey(light, gamma)), WHOLE) for gamma in (1.0, 2.2))
    # Without the finest band, which is noise here.
    assert np.abs(np.diff(linear[1:]) - np.diff(webcam[1:])).max() < 0.25


def test_only_the_core_of_a_box_is_read():
    rng = np.random.default_rng(2)
    detail = rng.integers(0, 256, SHAPE).astype(np.uint8)
    box = np.array([16 / COLUMNS, 9 / ROWS, 48 / COLUMNS, 27 / ROWS])
    half = (box[2:] - box[:2]) * CORE / 2.0
    centre = (box[2:] + box[:2]) / 2.0
    other = rng.integers(0, 256, SHAPE).astype(np.uint8)
    low, high = centre - half, centre + half
    rows = slice(int(low[1] * ROWS), int(np.ceil(high[1] * ROWS)))
    columns = slice(int(low[0] * COLUMNS), int(np.ceil(high[0] * COLUMNS)))
    other[rows, columns] = detail[rows, columns]
    np.testing.assert_array_equal(object_detail(detail, box), object_detail(other, box))


def test_a_reading_is_the_mean_energy_of_its_cells():
    rng = np.random.default_rng(3)
    detail = rng.integers(0, 256, SHAPE).astype(np.uint8)
    # The core is exactly 4 x 4 cells.
    centre, half = np.array([10.0, 20.0]) / (COLUMNS, ROWS), np.array([2.0, 2.0]) / (COLUMNS, ROWS) / CORE
    box = np.concatenate([centre - half, centre + half])
    expected = np.log(np.exp(log_energies(detail[18:22, 8:12]).astype(np.float64)).mean(axis=(0, 1)))
    np.testing.assert_allclose(object_detail(detail, box), expected, rtol=1e-4)


@given(st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=4))
def test_the_cells_of_a_core_are_its_area_inside_of_the_frame(edges):
    box = np.array([min(edges[::2]), min(edges[1::2]), max(edges[::2]), max(edges[1::2])])
    sides = []
    for begin, end in zip(box[:2], box[2:], strict=True):
        centre, half = (begin + end) / 2.0, (end - begin) / 2.0 * CORE
        sides.append(max(0.0, min(centre + half, 1.0) - max(centre - half, 0.0)))
    assert np.isnan(core_cells(np.full(4, np.nan)))
    assert core_cells(box) == pytest.approx(sides[0] * COLUMNS * sides[1] * ROWS, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize(
    ("shape", "box"),
    [(SHAPE, [np.nan] * 4), (SHAPE, [0.3] * 4), (SHAPE, [1.1, 0.1, 1.4, 0.3]), ((0, 0, BANDS), WHOLE)],
)
def test_without_a_place_or_a_map_nothing_is_read(shape, box):
    assert np.isnan(object_detail(np.ones(shape, np.uint8), np.array(box))).all()
