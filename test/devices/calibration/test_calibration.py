"""From pairs of position and distances to a profile that the lens models read."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dasha_ros.devices.calibration.profile import CalibrationError, Measurement, fit, plot, write_table
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model

PHYSICAL = lens_model("physical")
LENS = LensInfo.of(PHYSICAL)
DISTANCES = (0.3, 0.5, 0.8, 1.2, 2.0, 4.0)


def measured(noise: float = 0.0, repeats: int = 1, seed: int = 0) -> list[Measurement]:
    rng = np.random.default_rng(seed)
    return [
        Measurement(PHYSICAL.position(1 / s) + noise * rng.standard_normal(), s)
        for s in DISTANCES
        for _ in range(repeats)
    ]


def test_exact_pairs_give_back_the_lens() -> None:
    calibration = fit(measured(), LENS)
    assert calibration.dioptres_per_unit == pytest.approx(0.31)
    assert calibration.infinity_position == pytest.approx(40.0)
    assert calibration.residual_dioptres == pytest.approx(0.0, abs=1e-9)
    assert calibration.rejected == ()
    assert [p.distance_m for p in calibration.points] == sorted(DISTANCES, reverse=True)


def test_infinity_may_be_measured_too() -> None:
    calibration = fit([*measured(), Measurement(40.0, math.inf)], LENS)
    assert calibration.points[0] == Measurement(40.0, math.inf)


def test_repeated_measurements_are_averaged() -> None:
    calibration = fit(measured(noise=0.02, repeats=20), LENS)
    assert len(calibration.points) == len(DISTANCES)
    for point in calibration.points:
        assert point.position == pytest.approx(PHYSICAL.position(point.dioptres), abs=0.015)


@pytest.mark.parametrize("error", [-6.0, -1.5, 1.5, 6.0])
def test_a_measurement_that_cannot_be_right_is_rejected(error: float) -> None:
    good = measured(noise=0.01, repeats=2)
    bad = Measurement(PHYSICAL.position(1 / 0.8) + error, 0.8)
    calibration = fit([*good, bad], LENS)
    assert calibration.rejected == (bad,)
    assert calibration.dioptres_per_unit == pytest.approx(0.31, rel=0.01)


def test_the_profile_that_is_written_is_the_one_that_is_read(tmp_path: Path) -> None:
    calibration = fit([*measured(), Measurement(40.0, math.inf)], LENS)
    path = tmp_path / "bench.yaml"
    write_table(path, calibration, focal_length_mm=16.0, f_number=2.8)
    lens = lens_model(path)
    assert (lens.focal_length_mm, lens.f_number) == (16.0, 2.8)
    for distance in (0.3, 0.4, 1.0, 3.0):
        assert lens.dioptres(lens.position(1 / distance)) == pytest.approx(1 / distance)
        assert lens.position(1 / distance) == pytest.approx(PHYSICAL.position(1 / distance), abs=1e-3)
    assert "0.3100 D/V, infinity at 40.000 V" in path.read_text()
    assert lens.settle_s is None
    write_table(path, calibration, settle_s=0.065)
    assert lens_model(path).settle_s == 0.065


@pytest.mark.parametrize("unit", ["steps", "no", "1"])
@pytest.mark.parametrize(
    ("high", "resolution"),
    [(1e5, 1.0), (1e6, 100_000.0), (1_234_564.0, 1.0), (9_999_999.0, 0.0), (1e-3, 1e-5), (2.0**31, 1.0)],
)
def test_a_profile_has_the_numbers_of_its_lens_however_large_or_small(
    tmp_path: Path, high: float, resolution: float, unit: str
) -> None:
    lens = LensInfo(unit, 0.0, high, resolution=resolution, play=resolution)
    shares = (0.2, 0.7291234567, 1.0)
    pairs = [Measurement(high * share, 0.5 / share) for share in shares]
    path = tmp_path / "bench.yaml"
    write_table(path, fit(pairs, lens))
    read = LensInfo.of(lens_model(path))
    assert (read.unit, read.position_min, read.position_max) == (unit, 0.0, high)
    assert (read.resolution, read.play) == (resolution, resolution)
    assert read.map_positions[1:] == pytest.approx([high * share for share in shares], rel=1e-9)


@given(
    st.lists(st.floats(0.2, 20.0), min_size=3, max_size=12, unique_by=lambda s: round(10 / s)),
    st.floats(0.05, 1.5).flatmap(lambda k: st.sampled_from([k, -k])),
)
@example([1.0, 20.0, 19.999999999999996], 1.0)
def test_any_straight_lens_is_found(distances: list[float], slope: float) -> None:
    scale = 20.0 / (5.0 / abs(slope))
    pairs = [Measurement(47.0 + (1 / s - 2.5) / slope * min(1.0, scale), s) for s in distances]
    calibration = fit(pairs, LENS)
    assert calibration.rejected == ()
    assert calibration.dioptres_per_unit == pytest.approx(slope / min(1.0, scale), rel=1e-6)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([], "two or more distances"),
        ([Measurement(43.0, 1.0), Measurement(44.0, 1.0)], "two or more distances"),
        ([Measurement(43.0, 1.0), Measurement(43.0, 2.0)], "two or more distances"),
        ([Measurement(math.nan, 1.0), Measurement(43.0, 2.0)], "nan V at 1.0 m is no measurement"),
        ([Measurement(43.0, 0.0), Measurement(44.0, 2.0)], "at 0.0 m is no measurement"),
        ([Measurement(20.0, 1.0), Measurement(43.0, 2.0)], r"20 V lies outside 24\.\.70 V"),
    ],
)
def test_measurements_that_make_no_profile_are_refused(pairs: list[Measurement], words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        fit(pairs, LENS)


def test_contradictions_are_refused() -> None:
    rng = np.random.default_rng(1)
    nonsense = [
        Measurement(float(v), float(s)) for v, s in zip(rng.uniform(30, 60, 8), DISTANCES * 2, strict=False)
    ]
    with pytest.raises(CalibrationError, match=r"measure again|measure that point again"):
        fit(nonsense, LENS)


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "fit.png"
    plot(path, fit([*measured(noise=0.01), Measurement(60.0, 2.0)], LENS))
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape[:2] == (720, 840)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
