from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import fftconvolve
from studio import exact_disc

from dasha_ros.twin.disc_blur import MAX_RADIUS, Pyramid, Window, disc_kernel

WHOLE = Window(0, 0, 512, 272)
LEVELS = 255.0
"""Errors are given in grey levels of an 8-bit frame whose white is the picture's."""
MID_GREY_NOISE = 1.57
"""Standard deviation of the sensor's noise at mid-grey in such a frame (facts: var(DN))."""


def exactly_blurred(image: np.ndarray, radius: float, mode: str) -> np.ndarray:
    kernel = exact_disc(radius)
    n = kernel.shape[0] // 2
    padded = np.pad(image.astype(float), n, mode=mode)
    return fftconvolve(padded, kernel, mode="valid")


def picture(kind: str) -> np.ndarray:
    """272 x 512: the worst cases of a photograph, in linear light."""
    rng = np.random.default_rng(4)
    if kind == "noise":
        return rng.random((272, 512)).astype(np.float32)
    if kind == "checks":
        return np.kron(rng.integers(0, 2, (17, 32)), np.ones((16, 16))).astype(np.float32)
    # Amplitude falls with frequency, as in photographs; then edges as hard as pixels allow.
    fy, fx = np.fft.fftfreq(272)[:, None], np.fft.fftfreq(512)[None, :]
    spectrum = np.fft.fft2(rng.standard_normal((272, 512))) / np.maximum(np.hypot(fx, fy), 1 / 512)
    natural = np.fft.ifft2(spectrum).real
    natural = (natural - natural.min()) / np.ptp(natural)
    return np.where(natural > np.quantile(natural, 0.7), natural, 0.3 * natural).astype(np.float32)


@given(st.floats(0.0, MAX_RADIUS))
def test_a_disc_adds_up_to_one_and_is_as_wide_as_its_radius(radius: float) -> None:
    kernel = disc_kernel(radius)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(kernel, kernel.T)
    assert np.array_equal(kernel, kernel[::-1, ::-1])
    n = kernel.shape[0] // 2
    assert n - 0.5 <= max(radius, 0.5) <= n + 0.5 or n == 0


@pytest.mark.parametrize("radius", [0.7, 1.0, 2.5, 7.3, 19.9])
def test_the_kernel_is_the_exact_disc(radius: float) -> None:
    kernel, reference = disc_kernel(radius), exact_disc(radius)
    n = (reference.shape[0] - kernel.shape[0]) // 2
    assert np.abs(np.pad(kernel, n) - reference).max() < 0.01 * reference.max()


@pytest.mark.parametrize("kind", ["natural", "checks", "noise"])
@pytest.mark.parametrize("radius", [0.3, 1.5, 19.5, 20.5, 31.0, 41.0, 82.0])
@pytest.mark.parametrize("endless", [True, False])
def test_error_against_the_exact_disc(kind: str, radius: float, endless: bool) -> None:
    image = picture(kind)
    exact = exactly_blurred(image, max(radius, 1e-3), "symmetric" if endless else "constant")
    blurred, filled = Pyramid(image, endless=endless).blurred(radius, WHOLE)
    assert filled == WHOLE
    error = (blurred - exact) * LEVELS
    if radius <= MAX_RADIUS:
        assert np.abs(error).max() < 0.2
    else:
        assert np.abs(error).max() < 2.0
        assert error.std() < 0.2 * MID_GREY_NOISE


@given(
    radius=st.floats(0.0, 90.0),
    left=st.integers(0, 500), top=st.integers(0, 260),
    width=st.integers(1, 512), height=st.integers(1, 272),
    x=st.integers(-300, 600), y=st.integers(-300, 400),
)  # fmt: skip
def test_a_window_shows_the_same_as_the_whole(
    radius: float, left: int, top: int, width: int, height: int, x: int, y: int
) -> None:
    layer = Pyramid(LAYER, x, y)
    window = Window(left, top, min(left + width, 512), min(top + height, 272))
    whole, part = (spread_out(*layer.blurred(radius, w)) for w in (WHOLE, window))
    cut = np.s_[window.top : window.bottom, window.left : window.right]
    assert np.allclose(whole[cut], part[cut], atol=1e-5)


LAYER = np.random.default_rng(5).random((120, 150)).astype(np.float32)


def spread_out(pixels: np.ndarray, filled: Window) -> np.ndarray:
    frame = np.zeros((272, 512), np.float32)
    frame[filled.top : filled.bottom, filled.left : filled.right] = pixels.reshape(
        filled.bottom - filled.top, filled.right - filled.left
    )
    return frame


@pytest.mark.parametrize("radius", [0.0, 5.0, 18.0, 33.0, 70.0])
def test_a_layer_inside_the_frame_loses_no_light(radius: float) -> None:
    spot = np.ones((20, 30), np.float32)
    frame = spread_out(*Pyramid(spot, 240, 120).blurred(radius, WHOLE))
    assert frame.sum() == pytest.approx(spot.sum(), rel=0.005)


def test_an_invisible_layer_gives_no_pixels() -> None:
    pixels, filled = Pyramid(LAYER, 5000, 0).blurred(10.0, WHOLE)
    assert pixels.size == 0
    assert filled == Window(0, 0, 0, 0)


def test_colours_do_not_mix() -> None:
    image = np.zeros((272, 512, 3), np.float32)
    image[..., 1] = picture("natural")
    blurred, _ = Pyramid(image, endless=True).blurred(25.0, WHOLE)
    single, _ = Pyramid(image[..., 1], endless=True).blurred(25.0, WHOLE)
    assert np.allclose(blurred[..., 1], single, atol=1e-5)
    assert not blurred[..., 0].any()
    assert not blurred[..., 2].any()
