"""The second look: an object before a window, a white one in the dark, in a model of light of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.control.goal import expose_object, second_look, shift
from dasha_ros.control.loop import run_exposure
from dasha_ros.control.step import ExposureOutcome
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.perception.percept import Box, Detection, Percept
from dasha_ros.perception.quality.light import Light, light_of
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.object_exposure import (
    BRIGHT_EV,
    COMMANDS,
    SHADOW_LOOKS,
    SHADOWS_EV,
    WORSE,
    Hidden,
    Wanted,
    object_ev,
    was_taken_back,
)
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.selection import Region, Selection

TABLE = exposure_table()
TASK = ExposureTask(TABLE, 12)
CAT = Wanted(frozenset({"cat"}))
BOX: Box = (20.0, 10.0, 44.0, 30.0)


@dataclass
class LitRig:
    """A picture of 64 x 40 pixels with one object in it; the detector sees contrast that is not clipped."""

    thing: float = 1.0
    """Grey level of the object for each ms of exposure, before clipping."""
    background: float = 1.0
    through: float = 0.0
    """Share of the box's columns through which the background shines."""
    exposure_us: float = 1000.0
    seed: int = 0
    metered: Box | None = None
    commands: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.table, self.lens = TABLE, None
        self.paint = np.exp(random.normal(-0.2, 0.6, (40, 64)))
        left, top, right, bottom = map(int, BOX)
        self.own = np.zeros((40, 64), bool)
        self.own[top:bottom, left + round(self.through * (right - left)) : right] = True
        self.light = self.paint * np.where(self.own, self.thing, self.background)

    def meter(self, region: Box | None) -> None:
        self.metered = region

    def observe(self) -> Percept:
        grey = np.clip(np.rint(self.light * self.exposure_us / 1e3), 0, 255).astype(np.uint8)
        seen = grey[self.own].astype(float)
        # Contrast counts as far as it is above the grey steps' own and not clipped.
        open_share = float((seen < 255).mean())
        score = 0.95 * open_share * min(1.0, float(seen.std()) / 15.0)
        light = None if self.metered is None else light_of(grey, BOX)
        found = Detection("cat", score, BOX, light=light)
        blank = AnalyticRig().observe()
        return replace(
            blank,
            capture=replace(blank.capture, exposure_us=self.exposure_us),
            width=64,
            height=40,
            mean_grey=float(grey.mean()),
            histogram_counts=np.histogram(grey, blank.histogram_edges)[0].astype(np.uint32),
            detections=(found,) if score >= 0.1 else (),
            light=light,
        )

    def expose(self, exposure_us: float) -> Percept:
        self.exposure_us = exposure_us
        self.commands.append(exposure_us)
        return self.observe()

    def move(self, position: float) -> Percept:
        raise AssertionError("A^H moves no lens")

    @property
    def score(self) -> float:
        return max((d.score for d in self.observe().detections), default=0.0)


def looked(rig: LitRig, wanted: Wanted = CAT) -> tuple[float, float, int]:
    """Score before and after the second look, and its number of commands."""
    rig.meter(wanted.region)
    before, sent = rig.score, len(rig.commands)
    begun = ExposureOutcome(ErrorCode.NONE, "", 0, rig.observe())
    outcome = second_look(rig, TASK, wanted, begun)
    assert outcome.code is ErrorCode.NONE
    assert outcome.steps == len(rig.commands) - sent
    return before, rig.score, outcome.steps


rigs = st.builds(
    LitRig,
    thing=st.floats(-5.0, 10.0).map(lambda ev: 2.0**ev),
    background=st.floats(-5.0, 10.0).map(lambda ev: 2.0**ev),
    through=st.floats(0.0, 0.6),
    seed=st.integers(0, 99),
)


@given(rigs)
def test_it_ends_after_few_commands_and_never_makes_the_object_much_worse(rig: LitRig) -> None:
    before, after, commands = looked(rig)
    assert commands <= COMMANDS
    assert after >= before - 2 * WORSE


@given(rigs)
def test_whoever_is_content_stays_content(rig: LitRig) -> None:
    """Looking again at the same object costs nothing once its light is right."""
    looked(rig)
    percept = rig.observe()
    light = CAT.light(percept)
    if light is not None and object_ev(light, percept.mean_grey) == 0.0:
        assert looked(rig)[2] == 0


def test_a_backlit_object_and_a_white_one_in_the_dark_are_seen_better() -> None:
    for thing, background in ((100.0, 800.0), (100.0, 3000.0), (800.0, 100.0), (3000.0, 100.0)):
        rig = LitRig(thing, background, exposure_us=300.0)
        exposed = expose_object(rig, HistogramExposure(), TASK, None)
        without, shifted = rig.score, 0.0
        assert exposed.percept is not None
        steps = (
            [SHADOWS_EV * look for look in range(1, SHADOW_LOOKS + 1)] if thing < background else [BRIGHT_EV]
        )
        for ev in steps if without < 0.3 else ():
            shift(rig, TASK, ev - shifted, replace(exposed, percept=rig.observe()))
            shifted = ev
            if rig.score >= 0.3:
                break
        after, commands = looked(rig)[1:]
        assert after > max(0.8, without - WORSE), (thing, background)
        assert commands > 0 or shifted != 0.0 or without > 0.8


@given(rigs, st.integers(1, 6))
def test_a_goal_with_few_steps_gets_no_more_of_them(rig: LitRig, most: int) -> None:
    task = replace(TASK, max_steps=most)
    outcome = expose_object(rig, HistogramExposure(), task, CAT)
    assert outcome.steps == len(rig.commands) <= most


def test_nothing_happens_without_an_object_or_before_anybody_asks() -> None:
    rig = LitRig(10.0, 300.0)
    assert looked(rig, Wanted(frozenset({"dog"})))[2] == 0
    rig = LitRig(10.0, 300.0)
    begun = ExposureOutcome(ErrorCode.NONE, "", 0, rig.observe())
    assert second_look(rig, TASK, CAT, begun).steps == 0
    alone = LitRig(10.0, 300.0)
    assert run_exposure(alone, HistogramExposure(), TASK).steps == len(alone.commands)
    asked = LitRig(10.0, 300.0)
    assert expose_object(asked, HistogramExposure(), TASK, None).steps == len(alone.commands)
    assert asked.commands == alone.commands


def test_a_region_that_is_itself_the_object_is_metered_without_a_detector() -> None:
    region = Region(BOX[0] / 64, BOX[1] / 40, BOX[2] / 64, BOX[3] / 40)
    wanted = Wanted(selection=Selection(region, itself=True))
    assert wanted.region == region.edges
    rig = LitRig(20.0, 600.0, exposure_us=200.0)
    _, _, commands = looked(rig, wanted)
    light = rig.observe().light
    assert 0 < commands <= COMMANDS
    assert light is not None
    assert 40.0 < light.mean_grey < 130.0


@given(st.floats(0.0, 255.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 255.0))
def test_a_step_has_limits_whatever_was_measured(
    mean: float, dark: float, bright: float, frame: float
) -> None:
    ev = object_ev(Light(mean, dark * mean, bright), frame)
    assert ev == 0.0 or 0.3 <= abs(ev) <= 6.0


@given(st.floats(-12.0, 12.0), st.sampled_from(TABLE.values_us))
def test_a_shift_is_one_command_or_none_and_ends_where_the_table_does(ev: float, start_us: float) -> None:
    rig = LitRig(exposure_us=start_us)
    begun = ExposureOutcome(ErrorCode.NONE, "", 3, rig.observe())
    outcome = shift(rig, TASK, ev, begun)
    assert outcome.code is ErrorCode.NONE
    assert outcome.steps - 3 == len(rig.commands) <= 1
    aim = min(max(start_us * 2.0**ev, TABLE.t_min_us), TABLE.t_max_us)
    assert abs(math.log2(rig.exposure_us / aim)) < 0.1


def test_what_was_tried_in_vain_is_known_by_the_exposures() -> None:
    assert not was_taken_back([])
    assert not was_taken_back([400.0, 20_000.0, 20_000.0, 20_000.0])
    assert not was_taken_back([400.0, 20_000.0, 5000.0])
    assert was_taken_back([400.0, 20_000.0, 5000.0, 20_000.0])


def test_a_picture_hides_what_is_in_its_black_and_in_its_clipped_parts() -> None:
    blank = AnalyticRig().observe()

    def showing(dark: float, bright: float) -> Percept:
        counts = np.array([dark, 1.0 - dark - bright, *[0.0] * 7, bright]) * 1000
        return replace(blank, histogram_counts=counts.astype(np.uint32))

    hidden = Hidden()
    assert (hidden.in_shadows, hidden.in_bright_parts) == (False, False)
    for dark, bright in ((0.0, 0.0), (0.05, 0.0), (0.3, 0.0), (0.0, 0.2), (0.0, 0.0)):
        hidden.see(showing(dark, bright))
    # Blurred pictures of the same exposure take nothing back.
    assert (hidden.in_shadows, hidden.in_bright_parts) == (True, True)
    other = showing(0.05, 0.3)
    hidden.see(replace(other, capture=replace(other.capture, exposure_us=17.0)))
    assert (hidden.in_shadows, hidden.in_bright_parts) == (False, True)


def test_before_a_bright_background_the_object_itself_is_made_bright_enough() -> None:
    """Boxes as the benchmark's pictures have them, and whether detectors saw the object better with more."""
    through, enough = Light(145.0, 39.0, 0.46), Light(152.0, 51.0, 0.49)
    assert object_ev(through, 194.0) == pytest.approx(np.log2(60.0 / 39.0))
    assert object_ev(enough, 206.0) == 0.0
    solid = Light(66.0, 20.0, 0.07)
    assert object_ev(solid, 160.0) == pytest.approx(np.log2(95.0 / 66.0))
    assert object_ev(Light(80.0, 20.0, 0.07), 190.0) == 0.0, "a step of less than LEAST_EV is none"
