"""The INDI back end on Debian's simulator of a focuser, which others wrote."""

from __future__ import annotations

import pytest

pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")

from indi_servers import SIMULATOR, STEPS_MAX, simulator

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings

STEP_US = 200


def test_a_move_lasts_as_long_as_the_motor_travels() -> None:
    with simulator(STEP_US) as server:
        lens = IndiLens(IndiSettings(server=f"127.0.0.1:{server.port}"))
        assert lens.open().position == 1000.0
        assert lens.info.position_max == STEPS_MAX
        before = lens._clock.now_ns()
        assert lens.move(2000).position == 2000.0
        # Only the lower bound is certain on a busy machine.
        assert lens._clock.now_ns() - before >= 1000 * STEP_US * 1000
        said = lens.describe()
        assert said["model"] == f"INDI {SIMULATOR}"
        assert said["temperature_c"] == 0.0
        assert "moved to position 2000" in said["said"]
        server.stop()
        with pytest.raises(DeviceLost):
            lens.read()
        server.start()
        assert lens.open().position == 2000.0  # the simulator had forgotten it
        lens.close()
