"""The contrast profile of the training scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.policies.rivals.contrast_profile import MIN_DEVIATION, MODES, ContrastProfile, ProfileError
from dasha_ros.policies.rivals.profile_fit import ProfileFitFocus, default_profile

RADII = np.array([0.0, 1.0, 3.0, 9.0, 30.0])
CURVE = 1.0 / (1.0 + RADII**2)


def test_scenes_that_differ_by_an_offset_have_one_profile():
    profile = ContrastProfile.fit(RADII, np.stack([CURVE, 7.0 * CURVE, 0.01 * CURVE]))
    log = np.log(CURVE)
    assert profile.mean == pytest.approx(log - log.mean())
    assert profile.deviation == pytest.approx([MIN_DEVIATION] * len(RADII))
    assert np.abs(profile.modes).max() < 1e-9


def test_modes_are_how_scenes_differ():
    steep = ContrastProfile.fit(RADII, np.stack([CURVE, CURVE**2]))
    log = np.log(CURVE) - np.log(CURVE).mean()
    assert np.abs(steep.modes[0]) == pytest.approx(np.abs(log) / 2), "plus or minus half the curve"
    assert steep.deviation == pytest.approx([MIN_DEVIATION] * len(RADII)), "nothing is left"


def test_what_no_mode_explains_is_deviation():
    noise = np.random.default_rng(0).normal(0.0, 0.3, (500, len(RADII)))
    profile = ContrastProfile.fit(RADII, CURVE * np.exp(noise))
    # An offset and two modes take three of five degrees of freedom.
    assert np.sqrt(np.mean(np.square(profile.deviation))) == pytest.approx(0.3 * np.sqrt(2 / 5), rel=0.15)
    assert len(profile.modes) == MODES


@given(st.floats(-12, 12), st.floats(0.7, 1.6))
def test_a_scene_steeper_than_any_mean_is_explained_by_its_mode(focus, steepness):
    scenes = np.stack([CURVE**power for power in (0.7, 1.0, 1.3, 1.6)])
    profile = ContrastProfile.fit(RADII, scenes)
    places = np.array([-18.0, -5.0, 4.0, 16.0])
    seen = np.exp(steepness * np.interp(np.abs(places - focus), RADII, np.log(CURVE)))
    hypotheses = np.linspace(-20, 20, 801)
    misfit = profile.misfit(np.abs(hypotheses[:, None] - places[None, :]), seen)
    assert misfit.min() > misfit[np.argmin(np.abs(hypotheses - focus))] - 4.0, "within two deviations"


@given(st.floats(-20, 20), st.floats(0.01, 100.0))
def test_the_true_hypothesis_explains_the_looks_best(focus, gain):
    profile = ContrastProfile.fit(RADII, CURVE[None, :])
    places = np.array([-18.0, -5.0, 4.0, 16.0])
    seen = gain * np.exp(np.interp(np.abs(places - focus), RADII, np.log(CURVE)))
    hypotheses = np.linspace(-20, 20, 801)
    misfit = profile.misfit(np.abs(hypotheses[:, None] - places[None, :]), seen)
    assert abs(hypotheses[np.argmin(misfit)] - focus) <= 0.1


def test_a_profile_survives_its_file(tmp_path):
    profile = ContrastProfile.fit(RADII, CURVE[None, :], "three cats")
    profile.save(path := tmp_path / "profile.json")
    again = ContrastProfile.load(path)
    assert again.source == "three cats"
    assert again.mean == pytest.approx(profile.mean, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radii_px": [0, 1, 1, 9, 30]}, "ascend"),
        ({"radii_px": [1, 2, 3, 9, 30]}, "from 0"),
        ({"mean": [1.0]}, "as many"),
        ({"mean": [1, 2, 3, 4, float("nan")]}, "finite"),
        ({"mean": "text"}, "used"),
        ({"modes": [[1.0]]}, "as many"),
    ],
)
def test_a_damaged_profile_is_refused(tmp_path, change, message):
    path = tmp_path / "profile.json"
    ContrastProfile.fit(RADII, CURVE[None, :]).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ProfileError, match=message):
        ContrastProfile.load(path)


def test_no_file_and_no_json_are_refused(tmp_path):
    (tmp_path / "bad.json").write_text("[]")
    for name in ("bad.json", "missing.json"):
        with pytest.raises(ProfileError, match=name):
            ContrastProfile.load(tmp_path / name)


@pytest.mark.parametrize("curves", [np.zeros((0, 5)), -CURVE[None, :], np.full((1, 5), np.nan)])
def test_curves_that_give_no_profile(curves):
    with pytest.raises(ProfileError):
        ContrastProfile.fit(RADII, curves)


def test_the_shipped_profile_falls_with_blur():
    profile = ContrastProfile.load(default_profile())
    assert np.all(np.diff(profile.mean[:18]) < 0)
    assert ProfileFitFocus().name == "profile_fit"
