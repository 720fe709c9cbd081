"""A^H under lamps: what it ends with is whole flickers, wherever it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.control.goal import expose_object, shift
from dasha_ros.control.loop import run_exposure
from dasha_ros.control.step import ExposureOutcome
from dasha_ros.optics.exposure_table import LAMPS_HZ, exposure_table
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.hold.exposure_holder import LOOKS, ExposureHolder
from dasha_ros.policies.object_exposure import Wanted
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.registry import exposure_policy
from dasha_ros.policies.steady_light import SteadyExposure, flicker_note, steady_table

TABLE = exposure_table()
START_US = st.sampled_from(TABLE.values_us)
LIGHT = st.floats(-2.0, 2.0)
"""Of a scene [decades]: mean grey for each microsecond is ten to this, over 100."""


@dataclass
class Lamplit(AnalyticRig):
    """Perception has seen that the light flickers."""

    flicker_hz: float = 100.0

    def _look(self) -> Percept:
        return replace(super()._look(), flicker_hz=self.flicker_hz)


def rig_at(start_us: float, light: float, hz: float) -> Lamplit:
    return Lamplit(exposure_us=start_us, grey_per_us=10.0**light / 100.0, flicker_hz=hz)


def flickers(exposure_us: float, hz: float) -> float:
    return exposure_us * hz * 1e-6


@given(START_US, LIGHT, st.sampled_from(LAMPS_HZ))
def test_a_goal_ends_with_whole_flickers_or_shorter_than_one(
    start_us: float, light: float, hz: float
) -> None:
    rig = rig_at(start_us, light, hz)
    outcome = run_exposure(rig, exposure_policy("histogram"), ExposureTask(TABLE))
    assert outcome.code is ErrorCode.NONE
    ended = flickers(rig.exposure_us, hz)
    moments = (np.arange(4000) + 0.5) / 4000 * ended
    swings = [np.cos(2.0 * np.pi * (moments + phase)).mean() for phase in (0.0, 0.125, 0.25)]
    assert ended < 1.0 or np.max(np.abs(swings)) <= 0.021
    plain = rig_at(start_us, light, 0.0)
    steps = run_exposure(plain, exposure_policy("histogram"), ExposureTask(TABLE)).steps
    assert outcome.steps <= steps + 1


@given(START_US, LIGHT, st.sampled_from([0.0, 3.0, 50.0, 101.0]))
def test_what_is_no_lamp_changes_nothing(start_us: float, light: float, hz: float) -> None:
    rig, plain = rig_at(start_us, light, hz), rig_at(start_us, light, 0.0)
    for each in (rig, plain):
        run_exposure(each, exposure_policy("histogram"), ExposureTask(TABLE))
    assert rig.history == plain.history


@given(START_US, LIGHT)
def test_people_s_word_counts_more_than_what_was_seen(start_us: float, light: float) -> None:
    """Mains of 60 Hz stay so where 100 Hz are seen, and who wants any exposure gets it."""
    named = ExposureTask(TABLE.free_of_flicker(60.0))
    assert steady_table(named, 100.0) is named.table
    never = ExposureTask(TABLE, heeds_flicker=False)
    rig, plain = rig_at(start_us, light, 100.0), rig_at(start_us, light, 0.0)
    run_exposure(rig, exposure_policy("histogram"), never)
    run_exposure(plain, exposure_policy("histogram"), never)
    assert rig.history == plain.history


@pytest.mark.parametrize(
    ("start_us", "grey", "wanted_us"),
    [
        (14_000.0, 100.0, 10_000.0),
        (16_000.0, 100.0, 20_000.0),
        (16_000.0, 140.0, 10_000.0),  # 20 ms would be brighter than well exposed
        (14_000.0, 70.0, 20_000.0),  # and 10 ms darker
        (20_100.0, 100.0, 20_100.0),  # cameras round
        (9_000.0, 100.0, 9_000.0),
    ],
)
def test_a_good_picture_is_left_only_for_the_best_whole_exposure(
    start_us: float, grey: float, wanted_us: float
) -> None:
    rig = Lamplit(exposure_us=start_us, grey_per_us=grey / start_us, spread=0.3)
    outcome = run_exposure(rig, exposure_policy("histogram"), ExposureTask(TABLE))
    assert (outcome.code, rig.exposure_us) == (ErrorCode.NONE, pytest.approx(wanted_us))
    assert outcome.steps == int(start_us != wanted_us)


def test_a_camera_that_ends_before_the_next_whole_flicker_keeps_within_its_range() -> None:
    table = exposure_table(24.0, 19_000.0)
    rig = Lamplit(exposure_us=16_000.0, grey_per_us=100.0 / 16_000.0, spread=0.3, table=table)
    run_exposure(rig, exposure_policy("histogram"), ExposureTask(table))
    assert rig.exposure_us == pytest.approx(10_000.0)


def test_the_second_look_and_shifts_end_with_whole_flickers_within_their_steps() -> None:
    rig = Lamplit(exposure_us=14_000.0, grey_per_us=100.0 / 14_000.0)
    lit = expose_object(rig, exposure_policy("histogram"), ExposureTask(TABLE), Wanted(frozenset({"cat"})))
    assert (lit.code, flickers(rig.exposure_us, 100.0)) == (ErrorCode.NONE, pytest.approx(1.0))
    for ev in (1.3, -0.7, 2.2):
        lit = shift(rig, ExposureTask(TABLE), ev, ExposureOutcome(ErrorCode.NONE, "", 0, rig.observe()))
        assert lit.code is ErrorCode.NONE
        ended = flickers(rig.exposure_us, 100.0)
        assert ended == pytest.approx(max(1, round(ended)))


def test_who_follows_the_light_goes_to_whole_flickers() -> None:
    holder, rig = ExposureHolder(ExposureTask(TABLE)), Lamplit(exposure_us=20_000.0)
    seen = rig.observe()
    told = [holder.act(replace(seen, mean_grey=grey)) for grey in (*[100.0] * LOOKS, *[55.0] * 8)]
    assert told[0] == pytest.approx(20_000.0, rel=0.04)
    assert max(told) == pytest.approx(40_000.0)


def test_acting_before_reset_is_refused() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        SteadyExposure(exposure_policy("histogram")).act(AnalyticRig().observe())


@pytest.mark.parametrize(
    ("hz", "exposure_us", "words"),
    [
        (0.0, 5_000.0, ""),
        (100.0, 5_000.0, "shorter than a flicker"),
        (100.0, 20_000.0, "takes 2, which evens"),
        (120.0, 20_000.0, "takes 2.4"),
        (120.0, 8_333.3, "takes 1, which evens"),
    ],
)
def test_people_are_told_what_flicker_does(hz: float, exposure_us: float, words: str) -> None:
    note = flicker_note(hz, exposure_us)
    assert words in note
    assert bool(note) == (hz > 0.0)
