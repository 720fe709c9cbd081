"""The plane of the latents against a singular value decomposition; boundaries of points of known kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.benchmark.paper.parts.latents.boundary import boundary, direction, moved, plane

LEFT = np.array([[-1.0, 0.2], [-1.2, 0.0], [-0.8, 0.0], [-1.0, -0.2]])
CLOUDS = np.concatenate([LEFT, -LEFT])
FIRST = np.arange(8) < 4


@pytest.mark.parametrize("shape", [(7, 30), (40, 5)])
def test_the_plane_is_that_of_a_singular_value_decomposition(shape):
    latents = np.random.default_rng(3).normal(size=shape) * np.linspace(5.0, 0.5, shape[1])
    at, shares = plane(latents)
    centred = latents - latents.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(at) == pytest.approx(np.abs(u[:, :2] * s[:2]), abs=1e-9)
    assert shares == pytest.approx(s[:2] ** 2 / (s**2).sum())
    assert (at[np.abs(at).argmax(axis=0), [0, 1]] > 0.0).all()


def test_the_direction_leads_from_what_is_detected_to_what_is_missed():
    assert direction(CLOUDS, FIRST)[0] > 0.9
    assert direction(CLOUDS, ~FIRST)[0] < -0.9
    assert direction(CLOUDS, np.ones(8, bool)) == (1.0, 0.0)
    assert direction(np.zeros((8, 2)), FIRST) == (1.0, 0.0)


def test_a_clear_boundary_lies_between_the_kinds_and_moves_behind_the_last_point_when_all_is_found():
    across = direction(CLOUDS, FIRST)
    off = boundary(CLOUDS, FIRST, across)
    assert off.right == 1.0
    assert abs(off.place) < 0.5
    on = boundary(CLOUDS, np.ones(8, bool), across)
    assert on.right == 1.0
    assert on.place > (CLOUDS @ np.array(across)).max()
    assert moved(CLOUDS, off, on) == pytest.approx(
        (on.place - off.place) / (CLOUDS @ np.array(across)).std(), rel=1e-12
    )
    assert moved(np.zeros((8, 2)), off, on) == 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60))
def test_the_line_has_as_many_points_on_its_side_as_are_detected_and_never_moves_back(seed, count):
    rng = np.random.default_rng(seed)
    points, off = rng.normal(size=(count, 2)), rng.random(count) < 0.4
    on = off | (rng.random(count) < 0.5)
    across = direction(points, off)
    assert np.hypot(*across) == pytest.approx(1.0)
    lines = [boundary(points, flags, across) for flags in (off, on)]
    for line, flags in zip(lines, (off, on), strict=True):
        assert ((points @ np.array(across)) < line.place).sum() == flags.sum()
    assert moved(points, *lines) >= 0.0
