"""The shipped policies find objects on devices that lag, with what was measured of them before."""

from __future__ import annotations

from pathlib import Path

import pytest
from lagging_rig import DEVICES, LAG, rig_on, set_up
from webcam_rig import FOUND_PX, GOALS, read

from dasha_ros.assets import models
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.devices.lag.latency import read_latency
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

RESULTS = Path(__file__).parents[3] / "docs/results/device-goals.jsonl"
STARTS = 20
MODELS = {"webcam": "1209:da54 Memory webcam", "ros-driver": "camera_ros /camera"}


@pytest.mark.slow
@pytest.mark.parametrize(("device", "goals"), [("webcam", GOALS[1:4]), ("ros-driver", GOALS[2:3])])
def test_plus_finds_its_objects_on_a_device_that_lags_and_uses_no_stale_frame(
    fetched, tmp_path: Path, device: str, goals: tuple[tuple[str, str], ...]
) -> None:
    fetched(models.EFFICIENTNET_LITE0_GRID)
    make, perception = DEVICES[device], Perception(encoder="efficientnet_lite0_grid")
    measured = set_up(make, tmp_path)
    assert read_latency(tmp_path / "latency.yaml", MODELS[device]).exposure_frames in (LAG, LAG + 1)
    assert measured.off_share <= 0.05
    assert measured.off_steps <= 1.0
    assert measured.seconds < 60.0
    for scene, label in goals:
        with rig_on(make, tmp_path, perception, World(scene, illuminance_lx=150.0), measured.profile) as rig:
            rig.move(rig.lens.position(3.0))
            run_exposure(rig, exposure_policy("plus"), ExposureTask(rig.table))
            outcome = run_focus(rig, focus_policy("plus"), FocusTask(rig.lens, labels=frozenset({label})))
            assert outcome.detection is not None, outcome.message
            distance = load_scene(scene).object_distances(label)[0]
            assert abs(WEBCAM_LENS.blur_px(rig.focus_dioptres, 1.0 / distance)) <= 2.0
            assert rig.stale == 0


def test_the_committed_goals_reach_what_was_promised() -> None:
    rows = read(RESULTS)
    keys = {(row["device"], row["scene"], row["start"]) for row in rows}
    assert len(keys) == len(rows) == (len(DEVICES) + 1) * len(GOALS) * STARTS
    moves = {}
    for device in (*DEVICES, "twin"):
        played = [row for row in rows if row["device"] == device]
        good = [row for row in played if row["found"] and row["blur_px"] <= FOUND_PX]
        assert len(good) >= 0.95 * len(played)
        assert all(row["stale"] == 0 for row in played)
        moves[device] = sum(row["moves"] for row in played) / len(played)
    for device in DEVICES:
        assert moves[device] <= moves["twin"] + 0.7
