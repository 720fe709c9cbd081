from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.profiles import lens_model

TABLE = (
    "points: [{position: 41, distance_m: 5}, {position: 38.5, distance_m: .inf}, "
    "{position: 52, distance_m: 0.25}]"
)


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "measured.yaml"
    path.write_text(text)
    return path


ONE = "{position: 50, distance_m: 2}"
STEPS = """
unit: steps
position_min: 0
position_max: 1000
points: [{position: 0, distance_m: 2}, {position: 900, distance_m: 1}]
"""


@pytest.fixture(scope="module", params=["physical", "paper", "table"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LensModel:
    if request.param == "table":
        return lens_model(table(tmp_path_factory.mktemp("lens")))
    return lens_model(request.param)


def sign(model: LensModel) -> float:
    """+1 where greater positions focus nearer."""
    return math.copysign(1.0, model.dioptres(model.position_max) - model.dioptres(model.position_min))


@given(position=st.floats(24.0, 70.0))
def test_positions_survive_the_way_there_and_back(model: LensModel, position: float) -> None:
    assert model.position(model.dioptres(position)) == pytest.approx(position, abs=1e-6)


@given(a=st.floats(24.0, 70.0), b=st.floats(24.0, 70.0))
def test_the_map_is_strictly_monotone(model: LensModel, a: float, b: float) -> None:
    if abs(a - b) > 1e-6:
        assert (model.dioptres(a) < model.dioptres(b)) == (sign(model) * (b - a) > 0)


@given(dioptres=st.floats(-1e6, 1e6))
def test_no_focus_asks_for_positions_outside_the_range(model: LensModel, dioptres: float) -> None:
    assert 24.0 <= model.position(dioptres) <= 70.0


@given(near_m=st.floats(0.1, 100.0))
def test_the_focus_range_reaches_from_infinity_to_near(model: LensModel, near_m: float) -> None:
    low, high = model.focus_range(near_m)
    assert 24.0 <= low <= high <= 70.0
    far, near = (low, high) if sign(model) > 0 else (high, low)
    assert model.dioptres(far) == pytest.approx(0.0, abs=1e-6)
    assert model.dioptres(near) == pytest.approx(1 / near_m, rel=1e-6) or near in (24.0, 70.0)


def test_physical_numbers() -> None:
    lens = lens_model()
    assert lens.dioptres(40.0) == 0.0
    assert lens.dioptres(24.0) == pytest.approx(-4.96)
    assert lens.dioptres(70.0) == pytest.approx(9.3)
    assert lens.blur_px(1.0, 0.0) == pytest.approx(8.9, abs=0.05)
    assert lens.blur_px(0.0, 1.0) == pytest.approx(-8.9, abs=0.05)


@pytest.mark.parametrize(("f_number", "dioptres"), [(2.0, 0.0176), (4.0, 0.035), (6.4, 0.056)])
def test_one_pixel_of_blur_diameter(f_number: float, dioptres: float) -> None:
    radius = lens_model(f_number=f_number).blur_px(dioptres, 0.0, width_px=2048)
    assert 2 * radius == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("f_number", "near_mm", "far_mm"), [(2.0, 1651, 1752), (6.4, 1553, 1877)])
def test_depth_of_field_at_1700_mm(f_number: float, near_mm: float, far_mm: float) -> None:
    lens = lens_model(f_number=f_number)
    for distance_mm in (near_mm, far_mm):
        radius = lens.blur_px(1 / 1.7, 1000.0 / distance_mm, width_px=2048)
        assert 2 * abs(radius) == pytest.approx(1.0, abs=0.02)


def test_the_paper_band_is_half_a_volt_wide_and_more_focus_farther() -> None:
    lens = lens_model("paper")
    position = [lens.position(1 / metres) for metres in (1.4, 1.7, 2.0)]
    assert position == pytest.approx([64.60, 64.91, 65.12], abs=0.006)


def test_the_paper_blur_is_that_of_a_thin_lens() -> None:
    # Independent: image distances of object and focus, similar triangles behind the aperture.
    focus, thing, f_mm, n = 1 / 1.4, 1 / 2.0, 25.0, 2.0
    sensor_mm, image_mm = (1000 / (1000 / f_mm - p) for p in (focus, thing))
    diameter_mm = f_mm / n * abs(sensor_mm - image_mm) / image_mm
    radius = lens_model("paper").blur_px(focus, thing, width_px=2048)
    assert radius == pytest.approx(diameter_mm / 2 / 5.5e-3, rel=1e-9)


def test_a_table_interpolates_in_dioptres_and_goes_on_beyond_its_ends(tmp_path: Path) -> None:
    lens = lens_model(table(tmp_path))
    assert lens.dioptres(38.5) == 0.0
    assert lens.dioptres(41.0) == pytest.approx(0.2)
    assert lens.dioptres(46.5) == pytest.approx((0.2 + 4.0) / 2)
    assert lens.dioptres(36.0) == pytest.approx(-0.2)
    assert lens.name == "table:measured.yaml"


def test_ids_tell_profiles_apart(tmp_path: Path) -> None:
    first = lens_model(table(tmp_path)).id
    second = lens_model(table(tmp_path, TABLE.replace("52", "53"))).id
    ids = {first, second, lens_model().id, lens_model("paper").id, lens_model(f_number=4).id}
    assert len(ids) == 5
    assert lens_model().id == lens_model("physical", f_number=2.0).id


def test_a_table_may_tell_how_long_a_move_takes(tmp_path: Path) -> None:
    without = lens_model(table(tmp_path))
    told = lens_model(table(tmp_path, f"settle_s: 0.07\nblur_doubt: 2.5\n{TABLE}"))
    assert (without.blur_doubt, told.blur_doubt) == (1.0, 2.5)
    assert (without.settle_s, told.settle_s) == (None, 0.07)
    assert told.id == without.id  # the optics are the same


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"settle_s: 70\n{TABLE}", "settle_s is 70.0; it must lie in 0..5 s"),
        (f"settle_s: soon\n{TABLE}", "settle_s is 'soon'; it must be a number"),
        (f"blur_doubt: 0\n{TABLE}", "blur_doubt is 0.0; it must be a factor"),
        (f"blur_doubt: much\n{TABLE}", "blur_doubt is 'much'; it must be a number"),
        ("points: [{position: 40, distance_m: 1}]", "at least two"),
        ("points: [{position: 40, distance_m: 1}, {position: 50, blur_px: 2}]", "use one for all"),
        ("points: [{position: 40, blur_px: x}, {position: 50, blur_px: 2}]", r"points\[0\].blur_px"),
        ("f_number: 0\npoints: [{position: 40, blur_px: 1}, {position: 50, blur_px: 2}]", "f_number is 0"),
        ("points: [{position: 40, distance_m: 1}, {position: 40, distance_m: 2}]", "twice"),
        ("points: [{position: 40, distance_m: 1}, {position: 80, distance_m: 2}]", "80 V"),
        (
            "points: [{position: 40, distance_m: 1}, {position: 50, distance_m: -2}]",
            r"points\[1\].distance_m",
        ),
        ("points: [{position: 40, distance_m: x}, {position: 50, distance_m: 2}]", r"points\[0\].distance_m"),
        ("points: [{position: 40}, {position: 50, distance_m: 2}]", r"points\[0\]"),
        (
            "points: [{position: 40, distance_m: 1}, {position: 41, distance_m: 2}, "
            "{position: 42, distance_m: 1.5}]",
            "not in order at 42 V",
        ),
        (
            f"points: [{{position: 1{'0' * 400}, distance_m: 1}}, {ONE}]",
            r"points\[0\].position is .*40. digits.*too large",
        ),
        (f"points: [{{position: 1{'0' * 5000}, distance_m: 1}}, {ONE}]", "YAML|too large"),
        (f"points: [{{position: .inf, distance_m: 1}}, {ONE}]", r"points\[0\].position is inf.*finite"),
        ("points: [{position: 40, blur_px: .inf}, {position: 50, blur_px: 2}]", "blur_px is inf.*finite"),
        (STEPS.replace("1000", "9" * 400), "position_max is .*too large"),
        (f"play: 1e9\n{STEPS}", r"play is '1e9'; it must be a number, which YAML wants as 1\.0e\+9"),
        (f"play: 4e-1\n{STEPS}", r"YAML wants as 4\.0e-1"),
        (f"play: nan\n{STEPS}", "play is 'nan'; it must be a number$"),
        (f"resolution: 5000\n{STEPS}", "step of 5000 is more than the lens's whole range, 0 to 1000"),
        (f"play: 5000\n{STEPS}", "play of 5000 is more than the lens's whole range, 0 to 1000"),
        (f"resolution: .inf\n{STEPS}", "resolution is inf"),
        ("{points: [], colour: red}", "colour"),
        ("points: 3", "list"),
        ("just text", "points"),
        ("points: [", "YAML"),
        (
            STEPS.replace("distance_m: ", "distance_m: 1000"),
            r"blur changes by .* px.*distance_m is in metres",
        ),
        (f"focal_length_mm: 1.0e+300\n{STEPS}", "blur_px_per_dioptre is inf; it must be a number"),
        (STEPS.replace("steps", "motor steps of mine"), "unit .* is none"),
        ("points: [{position: 40, distance_m: 0.001}, {position: 50, distance_m: 2}]", "beyond 100 D"),
        ("{f_number: 0, points: [{position: 40, distance_m: 1}, {position: 50, distance_m: 2}]}", "f_number"),
    ],
)
def test_a_bad_table_is_refused_with_its_reason(tmp_path: Path, text: str, says: str) -> None:
    path = table(tmp_path, text)
    with pytest.raises(ValueError, match=says) as caught:
        lens_model(path)
    assert str(path) in str(caught.value)


def test_unknown_profiles_and_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="neither physical, nor paper, nor optotune, nor a file"):
        lens_model("phisical")
    with pytest.raises(ValueError, match=r"lens table x+: can't be read: File name too long"):
        lens_model("x" * 300)
    with pytest.raises(ValueError, match="has no aperture"):
        lens_model("physical", aperture=2.0)
    with pytest.raises(ValueError, match="f_number"):
        lens_model("physical", f_number=-2.0)
    with pytest.raises(ValueError, match="infinity_position"):
        lens_model("physical", infinity_position=10.0)
    with pytest.raises(ValueError, match="nearest distance"):
        lens_model().focus_range(0.0)


def test_a_table_of_blur_blurs_as_it_says_whatever_its_optics(tmp_path: Path) -> None:
    for optics in ("", "f_number: 4.0\nfocal_length_mm: 35.0\n"):
        path = tmp_path / "blur.yaml"
        path.write_text(
            "unit: steps\nposition_min: 0\nposition_max: 250\n"
            f"{optics}points: [{{position: 20, blur_px: 3.0}}, {{position: 120, blur_px: 28.0}}]\n"
        )
        lens = lens_model(path)
        assert lens.blur_px(lens.dioptres(120), lens.dioptres(20)) == pytest.approx(25.0)
        assert lens.blur_px(lens.dioptres(220), lens.dioptres(120)) == pytest.approx(25.0)
