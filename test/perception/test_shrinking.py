"""Averages of areas are those of OpenCV, to the grey level."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dasha_ros.perception.shrinking import shrink


def picture(rows: int, columns: int, seed: int, sigma: float = 0.0) -> np.ndarray:
    grey = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    return cv2.GaussianBlur(grey, (0, 0), sigma) if sigma else grey


def by_opencv(grey: np.ndarray, columns: int, rows: int) -> np.ndarray:
    return cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)


@given(
    st.integers(2, 20), st.integers(1, 19), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99),
    st.sampled_from([0.0, 1.0, 3.0]),
)  # fmt: skip
def test_it_is_the_mean_of_each_area(before, after, groups, row_groups, seed, sigma):
    assume(after < before)
    grey = picture(before * row_groups, before * groups, seed, sigma)
    small = shrink(grey, after * groups, after * row_groups)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, by_opencv(grey, after * groups, after * row_groups))


@given(st.integers(16, 90), st.integers(16, 90), st.integers(16, 90), st.integers(16, 90), st.integers(0, 99))
def test_sizes_without_a_simple_ratio_are_left_to_opencv(rows, columns, fewer_rows, fewer_columns, seed):
    assume(fewer_rows <= rows and fewer_columns <= columns)
    grey = picture(rows, columns, seed)
    np.testing.assert_array_equal(
        shrink(grey, fewer_columns, fewer_rows), by_opencv(grey, fewer_columns, fewer_rows)
    )


@pytest.mark.parametrize(("rows", "columns"), [(544, 1024), (540, 960), (720, 1280), (600, 960)])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_of_usual_cameras(rows, columns, seed):
    """Halved once, where they are 2048 and 1920 pixels wide."""
    grey = picture(rows, columns, seed, sigma=float(seed))
    size = 640, round(rows * 640 / columns)
    np.testing.assert_array_equal(shrink(grey, *size), by_opencv(grey, *size))


def test_a_part_of_a_picture_is_read_in_place():
    """Rows of a view do not lie side by side in memory."""
    whole = picture(200, 300, 7)
    part = whole[8:88, 16:256:2]
    np.testing.assert_array_equal(shrink(part, 75, 50), by_opencv(np.ascontiguousarray(part), 75, 50))


def test_no_other_thread_works_for_it():
    """A product that is large enough wakes OpenBLAS's threads, which go on in a busy loop for 60 ms."""
    grey = picture(544, 1024, 1)
    shrink(grey, 640, 340)
    mine, whole = time.thread_time(), time.process_time()
    for _ in range(50):
        shrink(grey, 640, 340)
    mine, whole = time.thread_time() - mine, time.process_time() - whole
    assert whole - mine < 0.2 * mine, "other threads worked, too"
