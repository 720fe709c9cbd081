"""What each stress does to pictures, against independent references."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.varioptic import PhysicalLens
from dasha_ros.twin.disc_blur import disc_kernel
from dasha_ros.twin.stress import levels, light
from dasha_ros.twin.stress.point_spread import RING_INNER, SHAPES, point_spread
from dasha_ros.twin.stress.scaled_lens import ScaledLens

SHAPE = (68, 128)
HEXAGON = math.sqrt(5 * math.pi / (36 * math.sqrt(3)))
SPHERICAL = math.sqrt((1 / 4 + 1 / 6) / (1 + 1 / 2))


def _deviation(kernel: np.ndarray) -> tuple[float, float]:
    """Standard deviations of a kernel along x and y [px]."""
    n = kernel.shape[0] // 2
    at = np.arange(-n, n + 1)
    return tuple(float(np.sqrt((kernel.sum(axis=axis) * at**2).sum())) for axis in (0, 1))


@pytest.fixture
def textured() -> np.ndarray:
    random = np.random.default_rng(3)
    return random.uniform(0.1, 0.9, SHAPE).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@given(radius=st.floats(0.0, 20.0))
def test_a_point_spread_function_keeps_the_light_and_is_centred(shape: str, radius: float) -> None:
    kernel = point_spread(shape, radius)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    assert kernel.min() >= 0.0
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "along_x", "along_y"),
    [
        # Second moments of the shapes, integrated by hand, in radii.
        ("ring", math.sqrt((1 + RING_INNER**2) / 4), math.sqrt((1 + RING_INNER**2) / 4)),
        ("gaussian", 0.5, 0.5),
        ("spherical", SPHERICAL, SPHERICAL),
        # A regular hexagon of side a has 5 a^2 / 24; of the disc's area, a^2 = 2 pi / (3 sqrt 3).
        ("hexagon", HEXAGON, HEXAGON),
    ],
)
def test_a_point_spread_function_has_the_width_of_its_shape(
    shape: str, along_x: float, along_y: float
) -> None:
    radius = 18.0
    found = _deviation(point_spread(shape, radius))
    assert found[0] / radius == pytest.approx(along_x, rel=0.02)
    assert found[1] / radius == pytest.approx(along_y, rel=0.02)


def test_the_cats_eye_is_narrow_across_the_rims_only() -> None:
    across, along = _deviation(point_spread("cat_eye", 16.0))
    disc = _deviation(disc_kernel(16.0))[0]
    assert across < 0.8 * disc
    assert 0.8 * disc < along < disc


def test_motion_blurs_along_rows_by_the_length(textured: np.ndarray) -> None:
    step = np.zeros(SHAPE, np.float32)
    step[:, 64:] = 1.0
    length = 10.0 * SHAPE[1] / 640
    moved = light.motion_blurred(step, 10.0)
    # A step becomes a ramp as wide as the path.
    assert float(((moved > 1e-4) & (moved < 1.0 - 1e-4)).sum(axis=1).mean()) == pytest.approx(length, abs=1.0)
    assert light.motion_blurred(textured, 10.0).mean() == pytest.approx(textured.mean(), rel=0.01)
    stripes = np.repeat(textured[:, :1], SHAPE[1], axis=1)
    np.testing.assert_allclose(light.motion_blurred(stripes, 10.0), stripes, atol=1e-5)


@pytest.mark.parametrize(("share", "outward"), [(-0.1, False), (0.1, True)])
def test_distortion_moves_a_point_along_its_radius(share: float, outward: bool) -> None:
    dot = np.zeros((201, 201), np.float32)
    dot[100, 170] = 1.0
    moved = light.distorted(cv2.GaussianBlur(dot, (0, 0), 2.0), share)
    row, column = np.unravel_index(moved.argmax(), moved.shape)
    assert row == 100
    assert (column > 170) == outward
    assert column != 170


def test_breathing_magnifies_around_the_middle(textured: np.ndarray) -> None:
    np.testing.assert_allclose(light.magnified(textured, 1.0), textured, atol=1e-5)
    dot = np.zeros((201, 201), np.float32)
    dot[100, 160] = 1.0
    moved = light.magnified(cv2.GaussianBlur(dot, (0, 0), 2.0), 1.1)
    assert abs(int(moved.argmax()) % 201 - 166) <= 1


def test_vignetting_darkens_corners_and_not_the_middle() -> None:
    lit = light.vignetted(np.ones((101, 201), np.float32), 0.4)
    assert lit[50, 100] == pytest.approx(1.0, abs=1e-3)
    assert lit[0, 0] == pytest.approx(0.4, abs=0.02)
    assert lit[50, 0] == pytest.approx(1.0 - 0.6 * 0.8, abs=0.02)


def test_a_soft_lens_has_the_width_of_the_disc_that_it_stands_for() -> None:
    dot = np.zeros((129, 640), np.float32)
    dot[64, 320] = 1.0
    soft = light.softened(dot, 3.0)
    at = np.arange(640) - 320
    assert math.sqrt((soft.sum(axis=0) * at**2).sum()) == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_noise_is_so_many_times_the_sensors(factor: float) -> None:
    """Against real readouts of the sensor, four pixels averaged, at three levels."""
    from dasha_ros.optics.binned import BinnedReadout

    readout = BinnedReadout(seed=1)
    for grey in (0.1, 0.3, 0.6):
        flat = np.full((200, 200), grey, np.float32)
        frame = readout.expose(flat, 40.0, 3000.0)
        noisy = levels.noisier(frame, factor, np.random.default_rng(2))
        # Rounding adds a twelfth to the variance, each time.
        ratio = (float(noisy.var()) - 2 / 12) / (float(frame.var()) - 1 / 12)
        assert math.sqrt(ratio) == pytest.approx(factor, rel=0.1)
        assert float(noisy.mean()) == pytest.approx(float(frame.mean()), abs=0.3)


def test_srgb_brightens_the_middle_and_keeps_the_ends() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :]
    curve = levels.developed_srgb(ramp)[0]
    assert curve[0] == 0
    assert curve[255] == 255
    # IEC 61966-2-1: 18 % grey is 46 % of the range.
    assert curve[46] == pytest.approx(118, abs=2)
    assert (np.diff(curve.astype(int)) >= 0).all()


def test_compression_changes_little_and_lower_quality_changes_more(textured: np.ndarray) -> None:
    frame = (255 * cv2.GaussianBlur(textured, (0, 0), 2.0)).astype(np.uint8)
    error = [float(np.abs(levels.compressed(frame, q).astype(int) - frame).mean()) for q in (95, 20)]
    assert 0.0 < error[0] < error[1] < 8.0


@given(scale=st.floats(0.2, 5.0), focus=st.floats(-4.0, 9.0), at=st.floats(0.0, 4.0))
def test_a_scaled_lens_blurs_more_and_focuses_alike(scale: float, focus: float, at: float) -> None:
    lens, plain = ScaledLens(blur_scale=scale), PhysicalLens()
    assert lens.blur_px(focus, at) == pytest.approx(scale * plain.blur_px(focus, at))
    assert lens.position(focus) == plain.position(focus)
