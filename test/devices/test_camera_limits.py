"""Exposures that are asked for, and the exposure and gain by which a camera makes them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.v4l2.camera import WebcamSettings

LIMITS = CameraLimits(64, 48, "mono8", 24.0, 1e5, 0.0, 18.0)
asked = st.floats(1.0, 2e7)


@given(asked)
def test_what_is_made_is_as_bright_as_what_was_asked_for(asked_us: float) -> None:
    wanted = LIMITS.nearest_asked_us(asked_us)
    exposure_us, gain_db = LIMITS.made_of(wanted, 0.0)
    assert 24.0 <= exposure_us <= 1e5
    assert 0.0 <= gain_db <= 18.0
    assert exposure_us * 10.0 ** (gain_db / 20.0) == pytest.approx(wanted)
    assert gain_db == 0.0 or exposure_us == 1e5, "gain only where the exposure ends"


@given(asked, st.floats(-6.0, 18.0), st.floats(0.981, 1.0))
@example(99_000.0, 6.0, 1.0)
@example(2e5, 0.0, 0.999)
@example(1e5, -6.0, 1.0)
def test_what_a_frame_tells_can_be_asked_for_again(asked_us: float, own_db: float, lines: float) -> None:
    """A goal that failed restores exposure and gain by one number, whatever gain the camera has by itself.

    Nor do pictures get darker if the sensor made its longest exposure a little shorter, of whole lines.
    """
    limits = replace(LIMITS, gain_min_db=-6.0)
    made_us, made_db = limits.made_of(limits.nearest_asked_us(asked_us), own_db)
    told_us = min(made_us, lines * limits.exposure_max_us)
    again = limits.nearest_asked_us(limits.asked_us(told_us, made_db))
    assert limits.made_of(again, own_db) == (pytest.approx(made_us, rel=0.02), pytest.approx(made_db))
    assert limits.asked_us(*limits.made_of(again, own_db)) == pytest.approx(again), "and it stays at that"


@given(asked, st.floats(0.0, 30.0))
def test_a_sender_may_ask_for_less_gain(asked_us: float, most_db: float) -> None:
    within = LIMITS.nearest_asked_us(asked_us, most_db)
    assert LIMITS.made_of(within, 0.0)[1] <= min(most_db, 18.0) + 1e-9


def test_a_camera_without_gain_ends_where_its_exposure_ends() -> None:
    plain = CameraLimits(64, 48, "mono8", 24.0, 1e5, 0.0, 0.0)
    assert plain.longest_asked_us == 1e5
    assert LIMITS.longest_asked_us == pytest.approx(1e5 * 10.0**0.9)
    assert CameraLimits(64, 48, "mono8", 24.0, 1e6, 0.0, 36.0).longest_asked_us == 1e7, "no command is longer"
    assert math.isclose(plain.nearest_asked_us(math.inf), 1e5)


@pytest.mark.parametrize("settings", [PylonSettings, AravisSettings, WebcamSettings])
@pytest.mark.parametrize("name", ["exposure_us", "gain_db"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_camera_is_not_set_up_with_what_is_no_number(settings: Any, name: str, value: float) -> None:
    with pytest.raises(OutOfRange, match=rf"{name.partition('_')[0]} -?(nan|inf) .* it must be a number"):
        settings(**{name: value})
