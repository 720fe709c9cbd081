"""What a lens says of itself, and the lens model that agents build from it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_lenses import DIOPTRES, STEPS

from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.lens import checked_position
from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.optics.lens import LensProfile, travel
from dasha_ros.optics.lens_info import LensInfo, LensInfoError, distance_text, position_text
from dasha_ros.optics.limited_lens import DistanceRange
from dasha_ros.optics.profiles import lens_model

TABLE = """
unit: steps
position_min: 0
position_max: 1000
resolution: 1
play: 6
points:
  - {position: 100, distance_m: .inf}
  - {position: 400, distance_m: 1.0}
  - {position: 900, distance_m: 0.25}
"""


@pytest.fixture(scope="module", params=["physical", "paper", "table", "dioptres", "steps"])
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LensProfile:
    if request.param == "table":
        path = tmp_path_factory.mktemp("lens") / "motor.yaml"
        path.write_text(TABLE)
        return lens_model(path)
    known: dict[str, LensProfile] = {"dioptres": DIOPTRES, "steps": STEPS}
    return known.get(request.param) or lens_model(request.param)


@given(share=st.floats(0.0, 1.0))
def test_agents_know_the_lens_as_its_profile_has_it(profile: LensProfile, share: float) -> None:
    known = LensInfo.of(profile).model()
    low, high = profile.position_min, profile.position_max
    position = low + share * (high - low)
    # A map that is no straight line is sampled: off by less than a tenth of a pixel of blur.
    off = 1e-9 if profile.name != "paper" else 0.002
    assert known.dioptres(position) == pytest.approx(profile.dioptres(position), abs=off)
    dioptres = profile.dioptres(position)
    assert known.position(dioptres) == pytest.approx(profile.position(dioptres), abs=2e-4 * (high - low))
    assert low <= known.position(1e6) <= high
    assert known.blur_px(1.0, 0.0) == pytest.approx(abs(profile.blur_px(1.0, 0.0)))
    assert (known.id, known.unit) == (profile.id, profile.unit)
    assert (known.position_min, known.position_max) == (low, high)
    assert known.focus_range() == pytest.approx(profile.focus_range(), abs=2e-4 * (high - low))


def test_the_default_lens_is_tabulated_alike_from_its_profile_and_from_what_it_says() -> None:
    """Decisions of policies rest on this table."""
    profile = lens_model()
    own, told = LensMap(profile), LensMap(LensInfo.of(profile).model())
    at = np.linspace(24.0, 70.0, 5000)
    np.testing.assert_allclose(told.dioptres(at), own.dioptres(at), atol=1e-12)
    dioptres = np.linspace(-6.0, 10.0, 5000)
    np.testing.assert_allclose(told.position(dioptres), own.position(dioptres), atol=1e-10)
    assert told.px_per_dioptre == own.px_per_dioptre


@pytest.mark.parametrize("limits", [(100.0, 200.0), (70.0, 100.0), (0.0, 24.0), (-5.0, 5.0)])
def test_limits_that_leave_nothing_of_a_map_are_refused(limits: tuple[float, float]) -> None:
    """Whoever describes the lens: a back end with a profile, or a message."""
    with pytest.raises(LensInfoError, match=r"the map goes from 24 to 70 V, and the lens from .*own profile"):
        LensInfo.of(lens_model(), limits=limits)
    with pytest.raises(LensInfoError, match="own profile"):
        replace(LensInfo.of(lens_model()), position_min=limits[0], position_max=limits[1])


def test_limits_that_leave_some_of_a_map_are_those_of_the_lens() -> None:
    info = LensInfo.of(lens_model(), limits=(60.0, 200.0))
    assert (info.model().position_min, info.model().position_max) == (60.0, 200.0)
    assert travel(info.model(), 0.05) > 0.0


def test_a_difference_of_focus_is_a_travel_in_any_unit() -> None:
    assert travel(lens_model(), 0.062) == 0.2
    assert travel(lens_model(), 0.093) == 0.3
    assert travel(DIOPTRES, 0.1) == 0.1
    assert travel(STEPS, 0.6) == 100.0


@given(position=st.floats())
def test_one_gate_knows_the_limits(position: float) -> None:
    for profile in (lens_model(), DIOPTRES, STEPS):
        info = LensInfo.of(profile)
        inside = math.isfinite(position) and info.position_min <= position <= info.position_max
        assert info.admits(position) == inside
        if inside:
            assert checked_position(position, info) == position
        else:
            with pytest.raises(OutOfRange, match=f"{info.position_max} {info.unit}"):
                checked_position(position, info)


def test_a_device_may_take_less_than_its_profile() -> None:
    info = LensInfo.of(lens_model(), limits=(30.0, 60.0))
    assert (info.admits(29.9), info.admits(30.0), info.admits(60.1)) == (False, True, False)
    known = info.model()
    assert (known.position_min, known.position(-100.0), known.position(100.0)) == (30.0, 30.0, 60.0)


def test_distances_are_said_where_they_are_known() -> None:
    info = LensInfo.of(lens_model())
    assert info.focus_distance_m(40.0 + 1.0 / 0.31) == pytest.approx(1.0)
    assert info.focus_distance_m(40.0) == info.focus_distance_m(24.0) == math.inf
    assert math.isnan(info.focus_distance_m(math.nan))
    bare = LensInfo("steps", 0.0, 10.0)
    assert math.isnan(bare.focus_distance_m(5.0))
    assert (distance_text(math.nan), distance_text(math.inf), distance_text(0.5)) == (
        "",
        " (infinity)",
        " (0.50 m)",
    )
    assert (position_text(5.0, "steps"), position_text(math.nan, "V")) == (
        "5.00 steps",
        "an unknown position",
    )


def test_a_doubt_about_the_blur_comes_through_and_changes_nothing_else() -> None:
    sure, doubted = lens_model(), lens_model(blur_doubt=4.0)
    assert (sure.blur_doubt, doubted.blur_doubt) == (1.0, 4.0)
    assert (doubted.id, doubted.blur_px(1.0, 0.0)) == (sure.id, sure.blur_px(1.0, 0.0))
    told = LensInfo.of(doubted)
    assert replace(told, blur_doubt=1.0) == LensInfo.of(sure)
    limited = DistanceRange(0.5, 2.0).limit(told.model())
    assert (told.model().blur_doubt, limited.blur_doubt) == (4.0, 4.0)
    with pytest.raises(ValueError, match=r"blur_doubt is 0\.25; it must be a factor"):
        lens_model(blur_doubt=0.25)


def test_nobody_thinks_in_dioptres_about_a_lens_without_a_map() -> None:
    bare = LensInfo("steps", 0.0, 10.0)
    assert not bare.is_calibrated
    with pytest.raises(LensInfoError, match="dasha calibrate lens"):
        bare.model()
    with pytest.raises(LensInfoError, match="dasha calibrate lens"):
        replace(LensInfo.of(lens_model()), blur_px_per_dioptre=0.0).model()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"unit": ""}, "unit"),
        ({"unit": "a very long unit of positions"}, "unit"),
        ({"position_min": 70.0}, "are no range"),
        ({"position_max": math.inf}, "are no range"),
        ({"resolution": -1.0}, "resolution is -1.0"),
        ({"play": 47.0}, "play is 47.0"),
        ({"settle_s": math.nan}, "settle_s is nan"),
        ({"approach": 2}, "approach is 2"),
        ({"blur_px_per_dioptre": -1.0}, "blur_px_per_dioptre"),
        ({"blur_doubt": 0.5}, "blur_doubt is 0.5"),
        ({"blur_doubt": math.nan}, "blur_doubt is nan"),
        ({"map_positions": (24.0,)}, "1 positions and 2 dioptres"),
        ({"map_positions": (70.0, 24.0)}, "must ascend"),
        ({"map_positions": (24.0, math.nan)}, "no number"),
        ({"map_dioptres": (1.0, 1.0)}, "turns back"),
        ({"map_dioptres": (1.0, 1e6)}, "beyond 100 D"),
        ({"map_positions": (24.0, 40.0, 70.0), "map_dioptres": (1.0, 3.0, 2.0)}, "turns back"),
    ],
)
def test_what_no_lens_says_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(LensInfoError, match=says):
        replace(LensInfo.of(lens_model()), **changes)


def test_a_table_in_another_unit_says_what_its_lens_takes(tmp_path: Path) -> None:
    path = tmp_path / "motor.yaml"
    path.write_text(TABLE)
    lens = lens_model(path)
    assert (lens.unit, lens.position_min, lens.position_max) == ("steps", 0.0, 1000.0)
    assert (lens.drive.step, lens.drive.hysteresis) == (1.0, 3.0)
    assert lens.dioptres(400.0) == pytest.approx(1.0)
    path.write_text(TABLE.replace("position_max: 1000\n", ""))
    with pytest.raises(ValueError, match="position_max is missing: a table in steps"):
        lens_model(path)
    path.write_text(TABLE.replace("900", "1100"))
    with pytest.raises(ValueError, match=r"1100 steps lies outside 0\.\.1000 steps"):
        lens_model(path)
