"""The INDI back end on drivers that others wrote: Debian's simulator, and two that simulate their focuser."""

from __future__ import annotations

import pytest

pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")

from indi_servers import SIMULATOR, STEPS_MAX, simulating, simulator

from dasha_ros.devices.errors import DeviceLost, MoveOvertaken
from dasha_ros.devices.indi.lens import POSITION, STEPS, IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.optics.lens_info import FROM_BELOW

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


def test_the_reference_is_found_before_the_first_reading() -> None:
    with simulator() as server:
        lens = IndiLens(IndiSettings(server=f"127.0.0.1:{server.port}", home="Goto.Preset 1"))
        assert lens.open().position == 0.0  # the preset; it stood at 1000
        assert lens.move(700).position == 700.0
        lens.close()
        assert lens.open().position == 700.0
        lens.close()


def test_taking_up_backlash_takes_the_time_of_its_way() -> None:
    with simulator(STEP_US) as server:
        settings = IndiSettings(server=f"127.0.0.1:{server.port}", approach=FROM_BELOW, backlash_steps=500)
        lens = IndiLens(settings)
        lens.open()
        before = lens._clock.now_ns()
        assert lens.move(600).position == 600.0
        assert lens._clock.now_ns() - before >= (400 + 500 + 500) * STEP_US * 1000
        lens.close()


def test_a_focuser_that_cannot_be_stopped_goes_on_to_the_end() -> None:
    with simulator(STEP_US) as server:
        lens = IndiLens(IndiSettings(server=f"127.0.0.1:{server.port}"))
        lens.open()
        lens.heed(lambda: True)
        assert lens.move(1500).position == 1500.0
        lens.close()


@pytest.mark.parametrize(
    ("program", "device"), [("indi_perfectstar_focus", "PerfectStar"), ("indi_lynx_focus", "FocusLynx F1")]
)
def test_a_newer_command_stops_a_motor_on_its_way(program: str, device: str) -> None:
    with simulating(program, device) as server:
        lens = IndiLens(IndiSettings(server=f"127.0.0.1:{server.port}", device=device))
        start = lens.open().position

        def is_on_its_way() -> bool:
            seen = lens._server.vector(device, POSITION)
            return seen is not None and seen.state == "Busy" and seen.number(STEPS) != start

        lens.heed(is_on_its_way)
        with pytest.raises(MoveOvertaken, match=f"{device} was stopped at .* for a newer command"):
            lens.move(lens.info.position_max)
        stopped = lens.read().position
        assert start < stopped < lens.info.position_max
        lens.heed(lambda: False)
        # It answers the newer command from where it stands.
        assert lens.move(stopped + 100).position == stopped + 100
        lens.close()
