"""The lag of a camera node is measured as that of a webcam: from its pictures alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scripted_driver import DEFAULTS, Script, ScriptedHost

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.lag.measurement import measure
from dasha_ros.emulators.webcam.controls import Shown
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.ros.driver.lag_bench import DriverLagBench
from dasha_ros.ros.driver.table import driver_named

TEXTURE = np.random.default_rng(1).uniform(-1.0, 1.0, (48, 64))


def textured(shown: Shown, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Brighter with the exposure, and with less contrast the farther the focus is from 4 D."""
    contrast = 1.0 / (1.0 + abs(shown.focus_dioptres - 4.0))
    light = min(shown.exposure_us / 200.0, 100.0)
    return np.clip(light * (1.0 + 0.9 * contrast * TEXTURE), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("lag", "focus_lag", "has_metadata"), [(0, 0, True), (2, 5, False), (6, 3, True)])
def test_the_measured_lag_is_the_true_one(lag: int, focus_lag: int, has_metadata: bool) -> None:
    clock = ManualClock()
    host = ScriptedHost(clock, Script(lag, focus_lag, has_metadata), paint=textured)
    with DriverLagBench(driver_named("camera_ros"), host.port) as bench:
        latency = measure(bench, clock, lambda *_: None)
    assert latency.model == "camera_ros /camera"
    # A frame that is on its way when a command comes shows the old setting, too.
    assert lag <= latency.exposure_frames <= lag + 1
    assert latency.focus_frames is not None
    assert focus_lag <= latency.focus_frames <= focus_lag + 1
    assert latency.frame_s == pytest.approx(1 / 30, rel=0.01)
    assert host.driver is not None
    assert host.driver.values["AeEnable"] is DEFAULTS["AeEnable"]


def test_a_driver_that_is_not_there_is_told() -> None:
    host = ScriptedHost(ManualClock())
    host.stop()
    with pytest.raises(DeviceLost), DriverLagBench(driver_named("camera_ros"), host.port):
        pass
