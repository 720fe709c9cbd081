"""What dasha_ros 0.1 wrote still loads, and means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dasha_ros.files import version_0_1
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy


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
        "exposure": {"interface": "readout"},
        "focus": {
            "interface": "belief",
            "stay_volts": 0.2,
            "doubt_price": 0.7,
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
        "exposure": {"observation": "readout"},
        "focus": {
            "observation": "belief",
            "stay_dioptres": 0.062,
            "defocus_price": 0.7,
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
        "format": 1,
        "agent": "focus",
        "reader": "belief_volt_blind",
        "observation": 47,
        "rules": {"stay_volts": 0.2, "min_score": 0.3},
        "made": {"seed": 1, "preset": {"focus": {"stay_volts": 0.15}}},
    }
    assert version_0_1.policy(old) == {
        "format": 2,
        "agent": "focus",
        "extractor": "belief_without_position",
        "observation_size": 47,
        "rules": {"stay_dioptres": 0.062, "min_score": 0.3},
        "made": {"seed": 1, "preset": {"focus": {"stay_dioptres": 0.0465}}},
    }
    kinds = {"belief_detection_deaf": "belief_without_detection", "latent": "latent", "belief": "belief"}
    for before, after in kinds.items():
        assert version_0_1.policy({"format": 1, "reader": before})["extractor"] == after


def test_a_policy_file_of_0_1_decides_as_the_same_one_of_today(tmp_path: Path) -> None:
    today = shipped_policy("plus", "focus")
    with np.load(today) as file:
        arrays = {name.replace("fitted/", "reader/"): file[name] for name in file.files}
    info = json.loads(arrays["info"].item())
    info |= {"format": 1, "reader": info.pop("extractor"), "observation": info.pop("observation_size")}
    info["rules"]["stay_volts"] = info["rules"].pop("stay_dioptres") / version_0_1.DIOPTRES_PER_VOLT
    np.savez_compressed(tmp_path / "old.npz", **{**arrays, "info": np.array(json.dumps(info))})
    old, new = PolicyFile.load(tmp_path / "old.npz", "focus"), PolicyFile.load(today, "focus")
    assert old.info == new.info
    assert old.net.arrays().keys() == new.net.arrays().keys()
    for mine, theirs in ((old.net.arrays(), new.net.arrays()), (old.fitted, new.fitted)):
        for name, array in mine.items():
            np.testing.assert_array_equal(array, theirs[name])


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


def test_a_parameter_of_old_is_told_of_by_its_new_name(tmp_path: Any) -> None:
    from dasha_ros.config import ConfigError
    from dasha_ros.config.overrides import merged
    from dasha_ros.config.params_file import load

    path = tmp_path / "params.yaml"
    path.write_text("low_level_agent:\n  ros__parameters:\n    profile: lens.yaml\n")
    loaded = load(path, "")
    assert "set lens_driver.profile alone" in "".join(loaded.warnings)
    with pytest.raises(ConfigError, match="it is initial_share now"):
        merged(loaded.configs, {"lens_driver.initial_volts": 30.0})
    assert version_0_1.parameter("lens_driver", "profile") == ""


def test_a_report_is_read_and_named_as_one_of_0_1(tmp_path: Any) -> None:
    from dasha_ros.report.model import load
    from dasha_ros.report.page import page

    identity = {"sender": "/dasha/low_level_agent#1", "sequence": 1}
    document = {
        "format": "dasha-report",
        "version": 2,
        "began": "2026-01-01T00:00:00.000+00:00",
        "goal": {"labels": ["cat"]},
        "setup": {"version": "0.1.0"},
        "before": {"exposure_us": 200.0, "volts": 24.0},
        "after": {"exposure_us": 1e4, "volts": 43.2},
        "outcome": {
            "error_code": 0, "error_name": "NONE", "error_msg": "", "exposure_steps": 0, "focus_steps": 1,
            "seconds": 1.0,
        },
        "steps": [
            {
                "agent": "A^L",
                "index": 1,
                "command": {"id": identity, "volts": 43.2},
                "frame": {
                    "stamp_ns": 1, "exposure_us": 1e4, "gain_db": 0.0, "sequence": 1,
                    "exposure_command": identity,
                },
                "lens": {
                    "command": identity, "commanded_volts": 43.2, "volts": 43.1780, "settled_at_ns": 2,
                },
                "percept": {
                    "width": 640, "height": 340, "encoder": "e", "histogram_counts": [1],
                    "histogram_peak": 1.0, "mean_grey": 1.0, "brisque": 1.0, "sharpness": 1.0,
                },
            }
        ],
    }  # fmt: skip
    (tmp_path / "report.json").write_text(json.dumps(document))
    record = load(tmp_path)
    assert (record.before.lens_position, record.after.lens_position, record.after.lens_unit) == (
        24.0,
        43.2,
        "V",
    )
    step = record.steps[0]
    assert (step.command.lens_position, step.lens.commanded_position, step.lens.position) == (
        43.2,
        43.2,
        43.178,
    )
    text = page(record, frozenset())
    assert "written by dasha_ros 0.1" in text
    assert "43.20 V" in text
