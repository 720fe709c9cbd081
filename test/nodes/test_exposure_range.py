"""Which exposures A^H may choose from, by its parameters and by what the camera can do. Starts no graph."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.config import HighLevelAgentConfig
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.nodes.high_level_agent import HighLevelAgent
from dasha_ros.optics.exposure_table import exposure_table

MOST_US = 30_000.0
"""The parameter ``exposure_max_us``."""


@pytest.mark.parametrize("camera_us", [10_000.0, 20_000.5, MOST_US, 30_001.0, 1e6, 1e7])
@pytest.mark.parametrize("mains_hz", [0.0, 50.0])
def test_the_camera_never_exposes_for_longer_than_the_parameter_says(
    camera_us: float, mains_hz: float
) -> None:
    rig = SimpleNamespace(
        table=exposure_table(24.0, MOST_US),
        limits=CameraLimits(64, 48, "mono8", 24.0, camera_us, 0.0, 24.0),
        most_gain_db=0.0,
    )
    config = HighLevelAgentConfig(exposure_max_us=MOST_US, gain_max_db=20.0)
    agent: Any = SimpleNamespace(rig=rig, config=config, _policy=None)
    table = HighLevelAgent._table_of_camera(agent).free_of_flicker(mains_hz)
    made = [
        rig.limits.made_of(rig.limits.nearest_asked_us(table.exposure_us(index), rig.most_gain_db), 0.0)
        for index in range(len(table))
    ]
    assert max(exposure_us for exposure_us, _ in made) <= MOST_US
    # A driver uses gain only where the exposure of its camera ends.
    most_db = 20.0 if camera_us <= MOST_US else 0.0
    assert max(gain_db for _, gain_db in made) == pytest.approx(most_db, abs=0.7)
