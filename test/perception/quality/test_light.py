"""The light of a part of a picture, against its definition in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dasha_ros.perception.quality.light import CLIPPED_FROM, light_of

pictures = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12))


@given(pictures)
def test_it_is_the_mean_the_darker_half_and_the_clipped_share(grey: np.ndarray) -> None:
    light = light_of(grey, (0.0, 0.0, grey.shape[1], grey.shape[0]))
    assert light is not None
    # Twice as many pixels have a half of whole pixels.
    twice = np.sort(np.repeat(grey.ravel(), 2).astype(float))
    assert light.mean_grey == pytest.approx(grey.mean())
    assert light.dark_grey == pytest.approx(twice[: grey.size].mean())
    assert light.bright_grey == pytest.approx(twice[grey.size :].mean())
    assert light.bright_share == pytest.approx((grey >= CLIPPED_FROM).mean())


@given(pictures, *[st.floats(-20.0, 20.0)] * 4)
def test_only_pixels_of_the_picture_count(grey: np.ndarray, x: float, y: float, w: float, h: float) -> None:
    light = light_of(grey, (x, y, x + abs(w), y + abs(h)))
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    inside = (columns >= round(x)) & (columns < round(x + abs(w)))
    inside &= (rows >= round(y)) & (rows < round(y + abs(h)))
    if not inside.any():
        assert light is None
    else:
        assert light is not None
        assert light.mean_grey == pytest.approx(grey[inside].mean())
