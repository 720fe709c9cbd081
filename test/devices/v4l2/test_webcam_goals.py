"""The shipped policies find objects on a webcam that lags, has play and coarse steps."""

from __future__ import annotations

import pytest
from webcam_rig import GOALS, rig_on

from dasha_ros.assets import models
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World


@pytest.mark.slow
@pytest.mark.timeout(300, method="thread")
def test_plus_finds_its_objects_through_a_webcam_and_uses_no_stale_frame(fetched) -> None:
    fetched(models.EFFICIENTNET_LITE0_GRID)
    perception = Perception(encoder="efficientnet_lite0_grid")
    for scene, label in GOALS[1:4]:
        with rig_on(perception, World(scene, illuminance_lx=150.0)) as rig:
            rig.move(rig.lens.position(3.0))
            run_exposure(rig, exposure_policy("plus"), ExposureTask(rig.table))
            outcome = run_focus(rig, focus_policy("plus"), FocusTask(rig.lens, labels=frozenset({label})))
            truth = 1.0 / load_scene(scene).object_distances(label)[0]
            assert outcome.detection is not None, outcome.message
            assert abs(rig.lens.blur_px(rig.focus_dioptres, truth)) <= 2.0
            assert rig.stale == 0
