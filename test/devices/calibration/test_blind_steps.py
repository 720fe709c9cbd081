"""Steps in which a lens really moves, from what is read on a staircase and on a simulated lens that lies."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from blind_bench import BlindBench, toy_lens
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.calibration.blind.profile import write_profile
from dasha_ros.devices.calibration.blind.stairs import COARSEST, RISE_PX, STAIRS, stair_step, steps_of
from dasha_ros.emulators.calibration_bench import write_chart
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model


@given(
    real=st.integers(1, COARSEST),
    phase=st.floats(0.0, 1.0),
    slope=st.floats(0.1, 0.27),
    falls=st.booleans(),
    noise=st.floats(0.0, 0.01),
    seed=st.integers(0, 2**31),
)
def test_real_steps_come_out(
    real: int, phase: float, slope: float, falls: bool, noise: float, seed: int
) -> None:
    commanded = 40.0 + np.arange(STAIRS)
    # The motor goes to the nearest of its own positions, wherever they begin.
    motor = real * np.rint(commanded / real + round(phase * real) / real + 1e-6)
    blur = (8.0 - slope * motor if falls else 2.0 + slope * motor) + np.random.default_rng(seed).normal(
        0.0, noise, STAIRS
    )
    found = steps_of(blur, 1.0, slope)
    assert found.real in (0.0, float(real))
    if real == 1:
        assert found.real == 0.0
    if noise < 0.001 and real > 1:
        assert found.real == real


@given(slope=st.floats(0.05, 0.25), noise=st.floats(0.05, 0.5), seed=st.integers(0, 2**31))
def test_noise_makes_no_steps_and_says_how_much_it_hides(slope: float, noise: float, seed: int) -> None:
    blur = 2.0 + slope * np.arange(STAIRS) + np.random.default_rng(seed).normal(0.0, noise, STAIRS)
    found = steps_of(blur, 1.0, slope)
    # Whatever was hidden below, a step that is told is one that could be told.
    assert found.real == 0.0 or found.real >= found.told_from
    assert found.told_from >= 1.0


@pytest.mark.parametrize(
    ("resolution", "slope", "step"), [(1.0, 0.2, 1.0), (1.0, 0.03, 3.0), (0.0, 0.2, 0.4), (5.0, 0.2, None)]
)
def test_the_climb_is_as_fine_as_lens_and_pictures_allow(
    resolution: float, slope: float, step: float | None
) -> None:
    found = stair_step(resolution, slope)
    assert found == (None if step is None else pytest.approx(step))
    assert found is None or found * slope * STAIRS <= RISE_PX


@pytest.mark.parametrize(("real", "hysteresis"), [(5.0, 0.0), (3.0, 2.0), (1.0, 2.0)])
def test_a_lens_that_takes_finer_steps_than_it_makes_is_found_out(
    real: float, hysteresis: float, tmp_path: Path
) -> None:
    lens = toy_lens(0.02, hysteresis=hysteresis, resolution=real)
    bench = BlindBench(str(write_chart(tmp_path, 3)), lens, distances_m=(0.5,), width=480)
    bench.info = dataclasses.replace(bench.info, resolution=1.0)
    found = bench.calibrate(settling=True)
    assert found.steps is not None
    assert found.steps.real == (real if real > 1.0 else 0.0)
    assert found.resolution == real
    assert found.play == pytest.approx(2.0 * hysteresis, abs=0.5)
    write_profile(tmp_path / "lens.yaml", found, (0.0, 250.0))
    assert LensInfo.of(lens_model(tmp_path / "lens.yaml")).resolution == real


def test_a_blank_part_of_the_picture_is_no_obstacle(tmp_path: Path) -> None:
    def blank_corner(pixels: np.ndarray, number: int) -> np.ndarray:
        # Wider than a part, so that nothing of its edges is seen in the part.
        rows, columns = pixels.shape[0] // 3, pixels.shape[1] // 4
        noise = np.random.default_rng(number).normal(0.0, 1.0, (rows, columns))
        pixels[:rows, :columns] = 90.0 + noise
        return pixels

    chart = str(write_chart(tmp_path))
    bench = BlindBench(chart, toy_lens(0.02), distances_m=(0.5,), spoil=blank_corner)
    found = bench.calibrate(settling=True)
    assert len(found.vee.centres) < 24
    assert found.steps is not None
    assert found.steps.real == 0.0
    assert found.vee.slope == pytest.approx(bench.px_per_step, rel=0.05)
