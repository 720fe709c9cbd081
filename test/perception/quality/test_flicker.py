"""Flicker is seen under lamps and nowhere else, against a camera computed row by row (`lamps`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamps import (
    AT_REST,
    LAMPS,
    OTHERS,
    Camera,
    any_camera,
    cosine,
    lamp,
    long_exposures,
    preview_times,
    rates,
    watched,
)

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.optics.exposure_table import LAMPS_HZ, flicker_shown
from dasha_ros.perception.quality.flicker import LEAST, MOST_PICTURES, PICTURES, FlickerWatch

PLENTY = settings(max_examples=15)
seeds = st.integers(0, 2**31)


@pytest.mark.parametrize("make", LAMPS)
def test_lamps_are_seen_and_their_frequency_is_right(make) -> None:
    told = rates(make, 25, MOST_PICTURES)
    assert told["wrong"] == 0
    assert told["right"] >= (12 if make is long_exposures else 21)


@pytest.mark.parametrize("make", OTHERS)
def test_nothing_else_is_taken_for_a_lamp(make) -> None:
    assert rates(make, 25, MOST_PICTURES)["none"] == 25


@PLENTY
@given(seeds, st.sampled_from(LAMPS_HZ), st.floats(0.1, 0.9), st.floats(2e-4, 6e-3))
def test_the_depth_is_that_of_the_light_whatever_the_exposure(
    seed: int, hz: float, depth: float, exposure_s: float
) -> None:
    random = np.random.default_rng(seed)
    camera = Camera(random, exposure_s)
    seen = watched(camera, preview_times(random, MOST_PICTURES), cosine(hz, depth, 0.0))
    assert seen is not None
    assert seen.hz == hz
    assert seen.depth == pytest.approx(depth, rel=0.35)


@given(st.sampled_from(LAMPS_HZ), st.integers(1, 9), st.floats(0.0, 6.3))
def test_exposures_of_whole_flickers_show_none(hz: float, flickers: int, phase: float) -> None:
    assert flicker_shown(hz, 1e6 * flickers / hz) == pytest.approx(0.0, abs=1e-9)
    steps = (np.arange(4000) + 0.5) / 4000 * 0.37 / hz
    by_sum = max(abs(cosine(hz, 1.0, phase + p)(steps).mean() - 1.0) for p in np.linspace(0.0, 6.3, 40))
    assert flicker_shown(hz, 0.37e6 / hz) == pytest.approx(by_sum, rel=1e-2)


def play(watch: FlickerWatch, camera: Camera, light, begin_s: float, pictures: int, **changes) -> float:
    """Show pictures of one setting; returns when the next may begin [s]."""
    times_s = preview_times(camera.random, pictures) + begin_s
    for number, at_s in enumerate(times_s):
        capture = CaptureInfo(
            round(at_s * 1e9), camera.exposure_s * 1e6, 0.0, NO_COMMAND, number, driver="c#1", lens=AT_REST
        )
        watch.see(camera.picture(at_s, light), replace(capture, **changes))
    return float(times_s[-1]) + 1.0


@PLENTY
@given(seeds)
def test_what_was_seen_stays_until_pictures_that_would_show_it_do_not(seed: int) -> None:
    random = np.random.default_rng(seed)
    camera, (light, hz), watch = Camera(random, 2e-3), lamp(random, 0.4), FlickerWatch()
    now_s = play(watch, camera, light, 0.0, MOST_PICTURES)
    assert watch.seen is not None
    # Whole flickers show nothing, and prove nothing.
    whole = Camera(random, 3.0 / hz, brightness=camera.brightness)
    now_s = play(watch, whole, light, now_s, MOST_PICTURES)
    assert watch.seen is not None
    now_s = play(watch, camera, np.ones_like, now_s, PICTURES - 1)
    assert watch.seen is not None
    play(watch, camera, np.ones_like, now_s, PICTURES)
    assert watch.seen is None


def test_another_driver_begins_anew() -> None:
    random = np.random.default_rng(1)
    camera, (light, _), watch = Camera(random, 2e-3), lamp(random, 0.4), FlickerWatch()
    now_s = play(watch, camera, light, 0.0, MOST_PICTURES)
    assert watch.seen is not None
    play(watch, camera, light, now_s, 1, driver="c#2")
    assert watch.seen is None


@PLENTY
@given(seeds, st.sampled_from(["exposure_us", "gain_db", "lens", "nowhere", "same"]))
def test_only_pictures_of_one_setting_at_rest_are_compared(seed: int, changes: str) -> None:
    random = np.random.default_rng(seed)
    camera, (light, _), watch = any_camera(random, 2e-4, 4e-3), lamp(random, 0.5), FlickerWatch()
    for number, at_s in enumerate(preview_times(random, MOST_PICTURES)):
        capture = CaptureInfo(
            round(at_s * 1e9), camera.exposure_s * 1e6, 0.0, NO_COMMAND, number, driver="c", lens=AT_REST
        )
        if changes == "exposure_us":
            capture = replace(capture, exposure_us=1000.0 + number)
        elif changes == "gain_db":
            capture = replace(capture, gain_db=float(number))
        elif changes == "lens":
            capture = replace(capture, lens=replace(AT_REST, move=number))
        elif changes == "nowhere":
            capture = replace(capture, lens=NOWHERE)
        else:
            # The same picture again and again is one picture.
            capture = replace(capture, stamp_ns=1)
        watch.see(camera.picture(at_s, light), capture)
    assert watch.seen is None


@pytest.mark.parametrize("brightness", [0.0, 1.0, 2000.0])
def test_black_and_white_pictures_tell_nothing(brightness: float) -> None:
    random = np.random.default_rng(3)
    camera = Camera(random, 1e-3, brightness=brightness)
    assert watched(camera, preview_times(random, MOST_PICTURES), cosine(100.0, 0.5, 0.0)) is None


@pytest.mark.parametrize(("rate_hz", "hz"), [(25.0, 100.0), (20.0, 100.0), (30.0, 120.0), (24.0, 120.0)])
def test_pictures_that_meet_a_lamp_always_in_the_same_moment_neither_show_it_nor_speak_against_it(
    rate_hz: float, hz: float
) -> None:
    random = np.random.default_rng(4)
    camera, light, watch = Camera(random, 2e-3), cosine(hz, 0.4, 1.0), FlickerWatch()
    even = np.arange(MOST_PICTURES) / rate_hz
    assert watched(camera, even, light) is None
    now_s = play(watch, camera, light, 0.0, MOST_PICTURES)
    seen = watch.seen
    for number, at_s in enumerate(even + np.ceil(now_s)):
        watch.see(
            camera.picture(at_s, light),
            CaptureInfo(round(at_s * 1e9), 2000.5, 0.0, NO_COMMAND, 100 + number, driver="c#1", lens=AT_REST),
        )
    assert seen is not None
    assert watch.seen == seen


def test_a_change_below_the_least_is_none() -> None:
    random = np.random.default_rng(5)
    camera = Camera(random, 1e-3, noise=0.3)
    assert watched(camera, preview_times(random, MOST_PICTURES), cosine(100.0, LEAST / 2.0, 0.0)) is None
