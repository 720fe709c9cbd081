"""Conversions between messages and dataclasses lose nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.state import CaptureInfo, LensMove, LensState
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import NO_COLOUR_DETAIL, NO_DETAIL, Detection, Percept
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.perception.quality.light import Light
from dasha_ros.ros.transport import conversions
from dasha_ros.ros.transport.stamps import to_ns, to_stamp

_DETAIL = np.arange(np.prod(SHAPE), dtype=np.uint8).reshape(SHAPE)
stamps = st.integers(0, 2**31 * 10**9 - 1)
reals = st.floats(allow_nan=False, width=64)
singles = st.floats(allow_nan=False, width=32)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
counts = st.integers(0, 2**64 - 1)
ids = st.builds(CommandId, words, counts)
captures = st.builds(
    CaptureInfo, stamps, reals, reals, ids, counts, stamps, words, st.builds(LensMove, words, counts, ids)
)
lenses = st.builds(
    LensState,
    ids,
    reals,
    reals,
    st.booleans(),
    stamps,
    st.lists(words, max_size=3).map(tuple),
    words,
    counts,
    counts,
    reals,
)
lights = st.none() | st.builds(Light, singles, singles, singles)
detections = st.builds(Detection, words, singles, st.tuples(*[singles] * 4), singles, lights)


@given(stamps)
def test_stamps(ns: int) -> None:
    assert to_ns(to_stamp(ns)) == ns


@given(captures)
def test_capture(capture: CaptureInfo) -> None:
    assert conversions.capture_from_msg(conversions.capture_to_msg(capture, "f")) == capture


@given(st.builds(CameraLimits, *[st.integers(0, 2**32 - 1)] * 2, words, *[reals] * 4))
def test_limits(limits: CameraLimits) -> None:
    assert conversions.limits_from_msg(conversions.limits_to_msg(limits)) == limits


@given(lenses)
def test_lens(lens: LensState) -> None:
    assert conversions.lens_from_msg(conversions.lens_to_msg(lens)) == lens


@given(
    captures,
    lenses,
    st.lists(singles, max_size=30),
    st.booleans(),
    st.booleans(),
    st.lists(detections, max_size=4).map(tuple),
    st.lists(st.integers(0, 2**32 - 1), min_size=10, max_size=10),
    st.dictionaries(words, singles, max_size=4),
)
def test_percept(
    capture: CaptureInfo,
    lens: LensState,
    latent: list[float],
    has_detail: bool,
    has_colour: bool,
    found: tuple[Detection, ...],
    counts: list[int],
    stages: dict[str, float],
) -> None:
    percept = Percept(
        capture=capture,
        lens=lens,
        width=2048,
        height=1088,
        encoder="e",
        latent=np.array(latent, np.float32),
        histogram_counts=np.array(counts, np.uint32),
        histogram_edges=np.linspace(0, 255, 11, dtype=np.float32),
        histogram_peak=12.5,
        mean_grey=99.0,
        brisque=33.25,
        sharpness=0.5,
        detail=_DETAIL if has_detail else np.zeros(NO_DETAIL, np.uint8),
        colour_detail=np.stack([_DETAIL, 255 - _DETAIL]) if has_colour else NO_COLOUR_DETAIL,
        detections=found,
        stage_ms=stages,
        flicker_hz=float(len(stages)),
    )
    back = conversions.percept_from_msg(conversions.percept_to_msg(percept, "f"))
    for field in dataclasses.fields(Percept):
        ours, theirs = getattr(percept, field.name), getattr(back, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(theirs, ours)
        else:
            assert theirs == ours, field.name


def test_a_percept_with_nan_survives_the_conversion_and_is_not_finite() -> None:
    percept = Percept(
        capture=CaptureInfo(1, 1.0, 0.0, NO_COMMAND, 0),
        lens=LensState(NO_COMMAND, 30.0, 30.0, True, 0),
        width=1,
        height=1,
        encoder="e",
        latent=np.array([np.nan], np.float32),
        histogram_counts=np.zeros(10, np.uint32),
        histogram_edges=np.zeros(11, np.float32),
        histogram_peak=0.0,
        mean_grey=0.0,
        brisque=0.0,
        sharpness=0.0,
    )
    assert not conversions.percept_from_msg(conversions.percept_to_msg(percept, "")).is_finite()


def test_a_lens_that_says_nothing_of_its_blur_is_believed() -> None:
    doubted = LensInfo.of(lens_model(blur_doubt=4.0))
    message = conversions.lens_info_to_msg(doubted)
    assert conversions.lens_info_from_msg(message) == doubted
    message.blur_doubt = 0.0
    assert conversions.lens_info_from_msg(message) == LensInfo.of(lens_model())
