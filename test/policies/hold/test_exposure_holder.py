"""A^H in a hold follows the light, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from analytic_rig import AnalyticRig
from hypothesis import example, given
from hypothesis import strategies as st

from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.hold.exposure_holder import BAND, LOOKS, ExposureHolder
from dasha_ros.policies.policy import ExposureTask

TABLE = exposure_table()
START_US = TABLE.exposure_us(TABLE.nearest(10_000.0))
PICTURE = AnalyticRig().observe()


def picture(grey: float, exposure_us: float):
    return replace(PICTURE, mean_grey=grey, capture=replace(PICTURE.capture, exposure_us=exposure_us))


def play(light, looks=40, good=100.0):
    """A linear camera; returns the exposures, and the grey levels."""
    holder, exposure_us, exposures, greys = ExposureHolder(ExposureTask(TABLE)), START_US, [], []
    for look in range(looks):
        grey = min(255.0, good * light(look) * exposure_us / START_US)
        greys.append(grey)
        exposure_us = holder.act(picture(grey, exposure_us))
        exposures.append(exposure_us)
    return exposures, greys


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0])
def test_the_picture_gets_as_bright_as_it_was_within_a_few_looks_of_a_step_of_the_light(factor):
    _, greys = play(lambda look: 1.0 if look < 10 else factor)
    assert all(100.0 / BAND <= grey <= 100.0 * BAND for grey in greys[18:])


@given(st.floats(0.0, 2.0 * math.pi), st.floats(0.2, 0.8))
@example(1.0, 0.484375)  # the first picture is the brightest, and then the beat is slow
def test_light_that_flickers_around_its_mean_changes_nothing(phase, pace):
    # Lamps of 100 or 120 Hz at 15 pictures a second, and all other beats of at most five pictures.
    exposures, _ = play(lambda look: 1.0 + 0.6 * math.sin(2.0 * math.pi * pace * look + phase))
    assert set(exposures) == {START_US}


@given(st.floats(1.0 / 1.25, 1.25))
def test_a_small_change_of_the_light_changes_nothing(factor):
    exposures, _ = play(lambda look: 1.0 if look < 5 else factor)
    assert set(exposures) == {START_US}


def test_in_the_dark_the_longest_exposure_is_the_end():
    exposures, _ = play(lambda look: 1.0 if look < 5 else 1e-9)
    assert exposures[-1] == TABLE.t_max_us


def test_it_follows_the_light_with_gain_where_the_exposure_ends():
    """Half the light at the longest exposure and 6 dB asks for 12 dB; the same light for the same again."""
    table = TABLE.with_gain(20.0)
    holder, asked_us = ExposureHolder(ExposureTask(table)), []
    seen = AnalyticRig().observe()
    capture = replace(seen.capture, exposure_us=1e6, gain_db=20.0 * math.log10(2.0))
    for grey in (*[100.0] * LOOKS, *[50.0] * 8):
        asked_us.append(holder.act(replace(seen, capture=capture, mean_grey=grey)))
    assert asked_us[:LOOKS] == pytest.approx([2e6] * LOOKS)
    assert max(asked_us) == pytest.approx(4e6, rel=0.05)
