"""The belief, the lens and the numbers of a step in a goal's report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dasha_ros import report

OUTCOME = {
    "error_code": 0,
    "error_name": "NONE",
    "error_msg": "",
    "exposure_steps": 0,
    "focus_steps": 1,
    "seconds": 1.0,
}
STEP = {
    "agent": "A^L",
    "command": {"lens_position": 45.0},
    "frame": {"stamp_ns": 9, "exposure_us": 1e4, "gain_db": 0.0, "sequence": 1, "exposure_command": {}},
    "lens": {"command": {}, "commanded_position": 45.0, "position": 44.98, "unit": "V", "settled_at_ns": 8},
    "percept": {
        "width": 640,
        "height": 340,
        "encoder": "efficientnet_lite0",
        "histogram_counts": list(range(10)),
        "histogram_peak": 127.0,
        "mean_grey": 120.0,
        "brisque": 30.0,
        "sharpness": 0.1,
    },
}
LENS = {
    "unit": "V",
    "position_min": 24.0,
    "position_max": 70.0,
    "map_positions": (24.0, 70.0),
    "map_dioptres": (0.0, 4.6),
    "blur_px_per_dioptre": 8.8,
}


def believed(folder: Path, *beliefs: dict | None) -> Path:
    """A report of A^L with a picture for each belief."""
    running = report.ReportWriter(folder).begin({"labels": ["cat"]}, {"lens": LENS})
    for index, belief in enumerate(beliefs):
        moved = {**STEP, "index": index, "belief": belief}
        running.step(moved, None, {"latent": np.arange(3.0), "detail": np.zeros((1, 1, 6), np.uint8)})
    return running.finish(OUTCOME)


def test_belief_lens_and_numbers_are_read_back(tmp_path):
    flat = {"dioptres": (0.0, 1.0, 2.0), "probability": (0.2, 0.5, 0.3)}
    folder = believed(tmp_path, flat, None)
    record = report.load(folder)
    first, second = record.steps
    assert first.belief == report.Belief(**flat)
    assert second.belief is None
    assert record.focus_dioptres(first) == pytest.approx((44.98 - 24.0) / 10.0)
    assert (first.numbers, second.numbers) == ("step-0000.npz", "step-0001.npz")
    with np.load(folder / "step-0001.npz") as stored:
        assert stored["latent"].tolist() == [0.0, 1.0, 2.0]


def test_the_page_shows_the_belief_before_and_after_each_move(tmp_path):
    flat = {"dioptres": (0.0, 1.0, 2.0), "probability": (0.2, 0.5, 0.3)}
    page = (believed(tmp_path / "a", flat, flat) / "index.html").read_text()
    assert "Belief before and after each move" in page
    assert "start" in page
    assert "move 1" in page
    assert "1 (1 m)" in page
    assert "Belief" not in (believed(tmp_path / "b", None) / "index.html").read_text()


@pytest.mark.parametrize(
    ("belief", "reason"),
    [
        ({"dioptres": (0.0, 1.0), "probability": (1.0,)}, "as many probabilities"),
        ({"dioptres": (0.0,), "probability": (1.0,)}, "at least two"),
        ({"dioptres": (1.0, 0.0), "probability": (0.5, 0.5)}, "must ascend"),
    ],
)
def test_a_belief_that_is_no_curve_is_refused(tmp_path, belief, reason):
    with pytest.raises(report.ReportError, match=reason):
        believed(tmp_path, belief)
