"""What the twin's camera shows when it was told of the world while it opened."""

from __future__ import annotations

from typing import Any

import pytest

from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.twin.world import World


def test_a_world_that_comes_while_the_camera_opens_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photographs take a while to be read, and a driver hears of the world meanwhile."""
    camera = TwinCamera(ManualClock(), width=640, height=340)
    brighter = World(camera.world.scene, 2 * camera.world.illuminance_lx)
    read = TwinCamera._renderer

    def slow(self: TwinCamera, scene: str) -> Any:
        monkeypatch.setattr(TwinCamera, "_renderer", read)
        self.set_world(brighter)
        return read(self, scene)

    monkeypatch.setattr(TwinCamera, "_renderer", slow)
    camera.open()
    assert camera.world == brighter
