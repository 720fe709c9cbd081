"""Drivers that are not as the table says: one sentence each, and nothing half set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_driver import DEFAULTS, RANGES, Script, ScriptedHost
from webcam_in_memory import told

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named

DRIVER = driver_named("camera_ros")


class Bench:
    def __init__(self, **script: object) -> None:
        self.clock = ManualClock()
        self.host = ScriptedHost(self.clock, Script(**script))
        self.camera = DriverCamera(DRIVER, DriverSettings(), self.host.port, self.clock)
        self.lens = DriverLens(DRIVER, self.host.port, clock=self.clock)

    @property
    def values(self) -> dict[str, object]:
        assert self.host.driver is not None
        return self.host.driver.values


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            {"kinds": {"ExposureTime": "string"}},
            "ExposureTime .* is of type string, and the exposure is a number",
        ),
        (
            {"kinds": {"AnalogueGain": "a list"}},
            "AnalogueGain .* is of type a list, and the gain is a number",
        ),
        ({"missing": {"ExposureTime"}}, "has no parameter ExposureTime for the exposure: another version"),
        ({"missing": {"AeEnable"}}, "has no parameter AeEnable, which switches an automatic function off"),
        ({"ranges": {"AnalogueGain": (1.0, 8.0)}}, "ExposureTime .* tells no range: add low and high"),
        ({"ranges": {"ExposureTime": (9e4, 10.0)}}, "claims a range from 90000 to 10, which no exposure has"),
        ({"ranges": {"ExposureTime": (1.0, float("inf"))}}, "claims a range from 1 to inf"),
        ({"ranges": {"ExposureTime": (float("nan"), 5.0)}}, "claims a range from nan to 5"),
        ({"refuse": {"AeEnable"}}, "refused AeEnable = False: .* would set exposure or focus by itself"),
        ({"refuse": {"ExposureTime"}}, "refused ExposureTime = 10000: .*; it can't be used without"),
    ],
)
def test_a_camera_that_cannot_be_used_is_lost_with_the_reason(script: dict[str, object], said: str) -> None:
    if "ranges" in script:
        script = {"ranges": {"AnalogueGain": (1.0, 8.0), **script["ranges"]}}
    bench = Bench(**script)
    for _ in range(2):
        with pytest.raises(DeviceLost, match=said) as caught:
            bench.camera.open()
        assert "\n" not in str(caught.value)
    with pytest.raises(DeviceLost, match="is not open"):
        bench.camera.capture()
    # What was switched off before is given back.
    assert bench.values.get("AeEnable", True) is True


def test_automatics_come_back_when_camera_and_lens_close() -> None:
    bench = Bench()
    bench.camera.open()
    bench.lens.open()
    assert (bench.values["AeEnable"], bench.values["AfMode"]) == (False, 0)
    bench.lens.close()
    bench.camera.close()
    assert (bench.values["AeEnable"], bench.values["AfMode"]) == (DEFAULTS["AeEnable"], DEFAULTS["AfMode"])


def test_an_exposure_that_a_person_had_set_by_hand_comes_back() -> None:
    bench = Bench()
    by_hand = {"AeEnable": False, "ExposureTime": 777, "AnalogueGain": 3.0}
    bench.values.update(by_hand)
    bench.camera.open()
    bench.camera.set_exposure(5_000.0)
    bench.camera.set_gain(1.0)
    bench.camera.close()
    assert {name: bench.values[name] for name in by_hand} == by_hand


def test_automatics_that_the_driver_does_not_take_back_are_told() -> None:
    bench = Bench()
    bench.camera.open()
    bench.host.script.refuse = {"AeEnable"}
    bench.camera.close()
    assert bench.camera.describe()["not given back"] == "AeEnable"


def test_a_refused_exposure_is_an_error_with_the_drivers_reason_and_the_old_one_stays() -> None:
    bench = Bench()
    bench.camera.open()
    bench.camera.set_exposure(5_000.0)
    bench.host.script.refuse = {"ExposureTime"}
    with pytest.raises(
        DeviceError, match=r"refused ExposureTime = 7000: parameter 'ExposureTime' cannot be set"
    ):
        bench.camera.set_exposure(7_000.0)
    frame = bench.camera.capture()
    assert (frame.exposure_us, told(frame.pixels)[0]) == (5_000.0, 50)
    bench.host.script.refuse = set()
    bench.camera.set_exposure(7_000.0)
    assert told(bench.camera.capture().pixels)[0] == 70
    assert bench.camera.describe()["count refused"] == 1


def test_a_parameter_that_vanishes_or_changes_its_type_loses_the_driver() -> None:
    bench = Bench()
    bench.camera.open()
    bench.values["ExposureTime"] = "auto"
    with pytest.raises(DeviceError, match="ExposureTime"):
        bench.camera.set_exposure(7_000.0)
    bench.camera.close()
    bench.values["ExposureTime"] = 1_000
    bench.lens.open()
    del bench.values["LensPosition"]
    with pytest.raises(DeviceLost, match=r"LensPosition of .* is None now, and no number"):
        bench.lens.read()


def test_a_range_that_the_pictures_belie_ends_in_a_sentence_with_both_exposures() -> None:
    bench = Bench(clamps_us=33_000.0)
    bench.camera.open()
    bench.camera.set_exposure(100_000.0)
    with pytest.raises(DeviceTimeout, match="was set to 100000 us, and its pictures say 33000 us"):
        bench.camera.capture()
    bench.camera.set_exposure(20_000.0)
    assert bench.camera.capture().exposure_us == 20_000.0


def test_a_driver_that_was_restarted_gets_every_setting_again() -> None:
    bench = Bench()
    bench.camera.open()
    bench.lens.open()
    bench.camera.set_exposure(5_000.0)
    bench.lens.move(4.0)
    bench.host.start()
    for part in (bench.camera.capture, bench.lens.read):
        with pytest.raises(DeviceLost, match="restarted"):
            part()
    bench.camera.open()
    assert bench.lens.open().position == 4.0
    frame = bench.camera.capture(bench.clock.now_ns() + 10**9)
    assert told(frame.pixels) == (50, 4.0)


def test_a_driver_that_publishes_nothing_is_lost() -> None:
    bench = Bench(lose=lambda _: True)
    with pytest.raises(DeviceLost, match="runs and publishes no picture"):
        bench.camera.open()


def test_a_driver_that_falls_silent_is_lost_after_three_pictures() -> None:
    bench = Bench()
    bench.camera.open()
    bench.host.script.lose = lambda _: True
    for _ in range(2):
        with pytest.raises(DeviceTimeout, match="published no frame that answers within"):
            bench.camera.capture()
    with pytest.raises(DeviceLost, match="3 times in a row"):
        bench.camera.capture()


def test_a_driver_without_a_focus_motor_has_no_lens() -> None:
    with pytest.raises(
        ValueError, match="realsense-ros has no parameter of a focus motor: only its exposure"
    ):
        DriverLens(driver_named("realsense-ros"), Bench().host.port)


def test_a_profile_in_another_unit_or_beyond_the_limits_is_refused() -> None:
    bench = Bench()
    with pytest.raises(ValueError, match="is in V, and the lens of driver camera_ros takes D"):
        DriverLens(DRIVER, bench.host.port, profile=lens_model("physical"))


def test_a_lens_that_another_program_moves_has_a_fault_until_it_is_moved() -> None:
    bench = Bench()
    bench.lens.open()
    bench.lens.move(3.0)
    bench.values["LensPosition"] = 5.0
    assert bench.lens.read().faults == (
        "another program moved the lens from 3 to 5 D; the next move mends it",
    )
    assert bench.lens.move(3.0).faults == ()


def test_a_longest_exposure_of_whole_lines_keeps_its_gain() -> None:
    """What a picture tells is asked for again, by whoever confirms or restores it."""
    ranges = {**RANGES, "ExposureTime": (100, 20_000)}
    camera = Bench(ranges=ranges, clamps_us=19_971.0).camera
    limits = camera.open()
    exposure_us, gain_db = limits.made_of(80_000.0, 0.0)
    camera.set_gain(gain_db)
    camera.set_exposure(exposure_us)
    frame = camera.capture()
    assert frame.exposure_us == 19_971.0
    again = limits.made_of(limits.asked_us(frame.exposure_us, frame.gain_db), 0.0)
    assert again == (20_000.0, pytest.approx(gain_db))


def test_a_lens_that_the_driver_left_alone_goes_to_its_nearest_limit() -> None:
    bench = Bench()
    bench.values["LensPosition"] = -1.0
    assert bench.lens.open().position == 0.0


def test_a_lag_file_of_another_driver_is_refused(tmp_path) -> None:
    path = tmp_path / "lag.yaml"
    path.write_text("model: usb_cam /usb_cam\nexposure_frames: 3\n")
    camera = DriverCamera(DRIVER, DriverSettings(latency=str(path)), Bench().host.port, ManualClock())
    with pytest.raises(DeviceLost, match="holds the lag of 'usb_cam /usb_cam'"):
        camera.open()


def test_without_a_range_of_the_driver_that_of_the_table_counts() -> None:
    clock = ManualClock()
    host = ScriptedHost(clock, Script(ranges={"AnalogueGain": (1.0, 8.0)}))
    exposure = replace(DRIVER.exposure, low=200.0, high=50_000.0)
    camera = DriverCamera(replace(DRIVER, exposure=exposure), DriverSettings(), host.port, clock)
    limits = camera.open()
    assert (limits.exposure_min_us, limits.exposure_max_us) == (200.0, 50_000.0)
    assert limits.gain_max_db == pytest.approx(18.06, abs=0.01)
