"""What dasha_ros 0.1 wrote still loads, and means the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dasha_ros.files import version_0_1
from dasha_ros.optics.profiles import lens_model


def test_a_lens_table_is_read_under_its_old_keys_and_keeps_its_id(tmp_path: Any) -> None:
    rows = [{"volts": 40.0, "distance_m": float("inf")}, {"volts": 43.2, "distance_m": 1.0}]
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(yaml.safe_dump({"points": rows, "settle_s": 0.06}))
    points = [{"position": row["volts"], "distance_m": row["distance_m"]} for row in rows]
    new.write_text(yaml.safe_dump({"unit": "V", "points": points, "settle_s": 0.06}))
    before, after = lens_model(old), lens_model(new)
    assert before.id == after.id
    assert (before.unit, before.position_min, before.position_max) == ("V", 24.0, 70.0)
    assert before.drive == after.drive == lens_model().drive


def test_a_preset_in_volts_is_one_in_dioptres() -> None:
    old = {
        "name": "mine",
        "focus": {
            "stay_volts": 0.2,
            "observe_volts": False,
            "horizon": 10,
            "world": {
                "volts": [24.4, 24.4],
                "drift_volts": 0.5,
                "hysteresis_volts": [0.0, 0.1],
                "ev": [0, 0],
            },
        },
    }
    assert version_0_1.preset(old) == {
        "name": "mine",
        "focus": {
            "stay_dioptres": 0.062,
            "observe_position": False,
            "horizon": 10,
            "world": {
                "start_position": [24.4, 24.4],
                "drift_dioptres": 0.155,
                "hysteresis": [0.0, 0.1],
                "ev": [0, 0],
            },
        },
    }
    anywhere = version_0_1.preset({"focus": {"world": {"volts": [24.0, 70.0]}}})
    assert anywhere == {"focus": {"world": {"start_position": None}}}


def test_a_policy_names_its_rules_and_its_kind_anew() -> None:
    old = {
        "agent": "focus",
        "reader": "belief_volt_blind",
        "rules": {"stay_volts": 0.2, "min_score": 0.3},
        "made": {"seed": 1, "preset": {"focus": {"stay_volts": 0.15}}},
    }
    assert version_0_1.policy(old) == {
        "agent": "focus",
        "reader": "belief_without_position",
        "rules": {"stay_dioptres": 0.062, "min_score": 0.3},
        "made": {"seed": 1, "preset": {"focus": {"stay_dioptres": 0.0465}}},
    }
    exposure = {"agent": "exposure", "reader": "latent", "rules": {"stop": "acceptable"}, "made": {}}
    assert version_0_1.policy(exposure) == exposure


@pytest.mark.parametrize(
    "convert", [version_0_1.lens_table, version_0_1.preset, version_0_1.policy, version_0_1.report]
)
def test_what_is_of_today_or_damaged_comes_back_as_it_is(convert: Any) -> None:
    for document in (
        {"reader": "belief"},
        {"points": 3, "reader": "belief"},
        {"points": [7, {"position": 1.0}], "focus": 3, "rules": 7, "made": [], "reader": "belief"},
        {"version": 3, "steps": [], "focus": {"world": 7, "stay_dioptres": 0.1}, "reader": "belief"},
    ):
        assert convert(dict(document)) == document
