from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dasha_ros.perception.quality.histogram import EDGES, histogram


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_counts_equal_numpys(image):
    counts, edges = np.histogram(image, bins=10, range=(0, 255))
    found = histogram(image)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(EDGES, edges)
    assert found.counts.dtype == np.uint32
    assert found.counts.sum() == image.size


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_mean_and_peak(image):
    found = histogram(image)
    assert found.mean == pytest.approx(image.mean())
    counts, edges = np.histogram(image, bins=10, range=(0, 255))
    fullest = int(np.argmax(counts))
    assert found.peak == pytest.approx((edges[fullest] + edges[fullest + 1]) / 2)


@pytest.mark.parametrize(
    ("grey", "satisfactory"),
    [(0, False), (10, False), (60, True), (100, True), (145, True), (200, False), (255, False)],
)
def test_peak_of_an_even_image_is_in_the_papers_range(grey, satisfactory):
    peak = histogram(np.full((8, 8), grey, np.uint8)).peak
    assert (50 <= peak <= 150) == satisfactory  # paper Eq. 7


@given(st.integers(0, 255))
def test_peak_is_within_half_a_bin_of_an_even_image(grey):
    assert abs(histogram(np.full((4, 4), grey, np.uint8)).peak - grey) <= 12.75


def test_edges_are_shared_and_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        EDGES[0] = 1
