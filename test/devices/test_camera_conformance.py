"""What `Camera` promises, asked of every back end.

On a bench: ``DASHA_CAMERA=<serial number> pytest -m hardware test/devices``.
"""

from __future__ import annotations

import json
import math
import threading

import numpy as np
import pytest

from dasha_ros.devices.camera import checked_frame
from dasha_ros.devices.errors import DeviceLost, OutOfRange


def test_limits_are_those_of_the_pictures(camera_under_test) -> None:
    camera = camera_under_test.camera
    limits = camera.open()
    assert 0 < limits.exposure_min_us < limits.exposure_max_us
    assert limits.gain_min_db <= limits.gain_max_db
    frame = camera.capture()
    assert frame.pixels.shape[:2] == (limits.height, limits.width)
    assert frame.encoding == limits.encoding == "mono8"
    assert frame.pixels.dtype == np.uint8
    assert checked_frame(frame).pixels is frame.pixels, "without a copy"


def test_a_frame_says_what_made_it(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.open()
    for exposure_us in (1_000.0, 20_000.0, 500.0):
        read_back = camera.set_exposure(exposure_us)
        assert read_back == pytest.approx(exposure_us, rel=0.01, abs=20)
        gain_db = camera.set_gain(6.0)
        frame = camera.capture()
        assert frame.exposure_us == pytest.approx(read_back, rel=1e-3)  # a real frame tells its own
        assert frame.gain_db == pytest.approx(gain_db, abs=0.01)
        assert gain_db == pytest.approx(6.0, abs=0.3)


def test_an_exposure_begins_after_the_call_and_takes_its_time(camera_under_test) -> None:
    camera, clock = camera_under_test.camera, camera_under_test.clock
    camera.open()
    camera.set_exposure(20_000.0)
    last_ns = 0
    for _ in range(3):
        before_ns = clock.now_ns()
        frame = camera.capture()
        assert frame.begun_ns >= before_ns
        assert frame.begun_ns > last_ns
        if camera_under_test.takes_its_time:
            assert clock.now_ns() - frame.begun_ns >= 20_000_000
        last_ns = frame.begun_ns


def test_an_exposure_waits_until_it_may_begin(camera_under_test) -> None:
    camera, clock = camera_under_test.camera, camera_under_test.clock
    camera.open()
    not_before_ns = clock.now_ns() + 50_000_000
    assert camera.capture(not_before_ns).begun_ns >= not_before_ns


def test_pictures_are_not_shared(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.open()
    first = camera.capture().pixels
    copy = first.copy()
    camera.capture().pixels[...] = 77
    assert np.array_equal(first, copy)


@pytest.mark.parametrize("exposure_us", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e12])
def test_hostile_exposures_are_refused_and_change_nothing(camera_under_test, exposure_us: float) -> None:
    camera = camera_under_test.camera
    camera.open()
    in_force = camera.set_exposure(2_000.0)
    with pytest.raises(OutOfRange, match="us refused"):
        camera.set_exposure(exposure_us)
    assert camera.capture().exposure_us == pytest.approx(in_force, rel=1e-3)


def test_a_gain_that_is_no_number_is_refused(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.open()
    with pytest.raises(OutOfRange, match="gain nan"):
        camera.set_gain(math.nan)


def test_both_ends_of_the_limits_can_be_set(camera_under_test) -> None:
    camera = camera_under_test.camera
    limits = camera.open()
    assert camera.set_exposure(limits.exposure_max_us) == pytest.approx(limits.exposure_max_us, rel=1e-6)
    assert camera.set_exposure(limits.exposure_min_us) == pytest.approx(limits.exposure_min_us, abs=1)
    for gain_db in (limits.gain_min_db, limits.gain_max_db):
        assert camera.set_gain(gain_db) == pytest.approx(gain_db, abs=0.3)


def test_a_camera_that_is_not_open_is_lost(camera_under_test) -> None:
    camera = camera_under_test.camera
    with pytest.raises(DeviceLost):
        camera.capture()
    camera.open()
    camera.close()
    with pytest.raises(DeviceLost):
        camera.capture()


def test_closing_twice_and_opening_again_keeps_the_settings(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.close()
    camera.open()
    exposure_us, gain_db = camera.set_exposure(3_000.0), camera.set_gain(3.0)
    for _ in range(2):
        camera.close()
        camera.close()
        camera.open()
        frame = camera.capture()
        assert (frame.exposure_us, frame.gain_db) == pytest.approx((exposure_us, gain_db), rel=1e-3)


def test_an_abort_with_nothing_to_abort_is_forgotten(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.open()
    camera.abort()
    assert camera.capture() is not None


def test_an_abort_that_comes_before_the_capture_it_is_meant_for_is_not_missed(camera_under_test) -> None:
    # The caller has looked for news, and they come, with their abort, before its call has begun.
    camera = camera_under_test.camera
    camera.open()
    waiter: list[int] = []

    def overtaken() -> bool:
        return bool(waiter)

    assert not overtaken()
    waiter.append(1)
    camera.abort()
    assert camera.capture(0, overtaken) is None
    waiter.clear()
    assert camera.capture(0, overtaken) is not None


def test_an_abort_that_comes_after_the_look_for_news_counts(camera_under_test) -> None:
    camera = camera_under_test.camera
    camera.open()

    def overtaken() -> bool:
        camera.abort()  # by someone who came a moment too late to be seen
        return False

    assert camera.capture(0, overtaken) is None
    assert camera.capture() is not None


def test_an_abort_ends_a_long_exposure(camera_under_test) -> None:
    camera = camera_under_test.camera
    limits = camera.open()
    if not hasattr(camera_under_test.clock, "advance") and camera_under_test.takes_its_time:
        camera.set_exposure(min(limits.exposure_max_us, 1_000_000.0))
        # Aborts until one meets the exposure: no sleep has to guess when it has begun.
        done = threading.Event()

        def insist() -> None:
            while not done.wait(0.02):
                camera.abort()

        thread = threading.Thread(target=insist)
        thread.start()
        assert camera.capture() is None
        done.set()
        thread.join()
        camera.set_exposure(1_000.0)
    frame = camera.capture()
    assert frame is not None
    assert camera.capture().begun_ns > frame.begun_ns


def test_the_description_can_be_published(camera_under_test) -> None:
    camera = camera_under_test.camera
    assert json.dumps(camera.describe())
    camera.open()
    assert camera.describe()["model"]
    assert json.dumps(camera.describe())


def test_an_unplugged_camera_is_lost_until_it_is_opened_again(camera_under_test) -> None:
    if camera_under_test.unplug is None:
        pytest.skip("this camera has no cable to pull")
    camera = camera_under_test.camera
    camera.open()
    exposure_us, gain_db = camera.set_exposure(3_000.0), camera.set_gain(3.0)
    camera_under_test.unplug()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            camera.capture()
        with pytest.raises(DeviceLost):
            camera.open()
    camera_under_test.plug()
    camera.open()
    frame = camera.capture()
    assert (frame.exposure_us, frame.gain_db) == pytest.approx((exposure_us, gain_db), rel=1e-3)
