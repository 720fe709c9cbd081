"""A world that needs no downloaded photograph."""

from __future__ import annotations

import pytest
from squares import squares_scene

from dasha_ros.twin.world import World


@pytest.fixture(scope="session")
def chart_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Random squares on one plane at 1 m."""
    return World(scene=squares_scene(tmp_path_factory.mktemp("chart")))
