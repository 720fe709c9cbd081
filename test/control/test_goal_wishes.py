"""Goals with a region, priorities, a range of distances or a longest time, in the loop without ROS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig, Thing
from pixel_rig import FAR_D, LENS, NEAR_D, PixelRig

from dasha_ros.control.deadline import within
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.optics.limited_lens import DistanceRange
from dasha_ros.perception.encoders import create_encoder
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.learned.focus import shipped_focus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusDecision, FocusTask
from dasha_ros.policies.registry import focus_policy
from dasha_ros.policies.selection import Region, Selection

FACE, WALL = Region(0.40, 0.32, 0.60, 0.66), Region(0.02, 0.05, 0.30, 0.90)
LEFT, RIGHT = (40.0, 100.0, 160.0, 220.0), (460.0, 100.0, 600.0, 220.0)


@pytest.fixture(scope="module")
def encoder():
    return create_encoder("efficientnet_lite0_grid")


def goal(labels=(), region=None, lens=LENS, distances=None, any_object=False, by_priority=False, **task):
    wanted, selection = Selection.of_goal(labels, region, any_object=any_object, by_priority=by_priority)
    lens = (distances or DistanceRange()).limit(lens)
    return FocusTask(lens, wanted, selection=selection, **task)


@pytest.mark.parametrize("policy", ["plus", "coarse_to_fine"])
@pytest.mark.parametrize(("region", "there_d"), [(FACE, NEAR_D), (WALL, FAR_D)], ids=["face", "wall"])
@pytest.mark.parametrize("start_d", [0.1, 1.2, 3.2])
def test_a_region_gets_sharp_whatever_is_there_and_without_any_detector(
    encoder, policy, region, there_d, start_d
):
    rig = PixelRig(start_d, lambda blur: 0.0, encoder, seed=1)
    outcome = run_focus(rig, focus_policy(policy), goal(region=region))
    assert outcome.code is ErrorCode.NONE
    assert abs(LENS.blur_px(LENS.dioptres(outcome.percept.lens.commanded_position), there_d)) < 2.0
    assert outcome.detection.label == "region"
    # The report and the messages keep what perception saw.
    assert outcome.percept.detections == ()


def test_a_region_on_the_near_object_is_not_found_by_a_policy_that_goes_to_the_wall(encoder):
    rig = PixelRig(FAR_D, lambda blur: 0.0, encoder)
    outcome = run_focus(rig, Stay(), goal(region=FACE))
    assert outcome.code is ErrorCode.QUALITY_NOT_REACHED
    assert "own detail" in outcome.message


def test_a_region_of_pictures_without_a_map_of_detail_is_never_called_sharp():
    rig = AnalyticRig()
    outcome = run_focus(rig, Stay(), goal(region=WALL, lens=rig.lens))
    assert outcome.code is ErrorCode.QUALITY_NOT_REACHED
    assert "measures no detail" in outcome.message


def test_of_two_cats_the_one_in_the_region_gets_sharp():
    near = Thing(box=LEFT, dioptres=2.0, score=0.95)
    far = Thing(box=RIGHT, dioptres=0.6, score=0.7)
    for region, there in ((Region(0.0, 0.2, 0.3, 0.8), near), (Region(0.7, 0.2, 1.0, 0.8), far)):
        rig = AnalyticRig((near, far), background_texture=0.1)
        outcome = run_focus(rig, focus_policy("coarse_to_fine"), goal(["cat"], region, rig.lens))
        assert outcome.code is ErrorCode.NONE
        assert outcome.detection.box == there.box
        assert abs(rig.lens.blur_px(rig.lens.dioptres(rig.position), there.dioptres)) < 1.5


def test_an_object_outside_of_the_region_is_not_found():
    rig = AnalyticRig((Thing(box=LEFT),))
    task = goal(["cat"], Region(0.7, 0.2, 1.0, 0.8), rig.lens)
    outcome = run_focus(rig, focus_policy("coarse_to_fine"), task)
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND
    assert "in the region 0.7, 0.2, 1, 0.8" in outcome.message


@pytest.mark.parametrize("order", [("cat", "dog"), ("dog", "cat")])
def test_by_priority_the_first_label_wins_whatever_the_scores(order):
    things = (
        Thing("cat", dioptres=1.6, score=0.95, box=LEFT, seen_px=8.0),
        Thing("dog", dioptres=1.2, score=0.7, box=RIGHT, seen_px=8.0),
    )
    rig = AnalyticRig(things)
    task = goal(order, lens=rig.lens, by_priority=True)
    outcome = run_focus(rig, focus_policy("coarse_to_fine"), task)
    assert outcome.code is ErrorCode.NONE
    assert outcome.detection.label == order[0]


class Stay:
    """Ends as found at once."""

    name = "stay"

    def reset(self, task):
        """Nothing to forget."""

    def act(self, percept):
        return FocusDecision(percept.lens.commanded_position, done=True, found=True)


POLICIES = ["plus", "paper", "coarse_to_fine", "greedy", "planner"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("start", [24.0, 47.0, 70.0])
def test_no_policy_leaves_the_distances_of_a_goal_or_looks_from_outside(encoder, policy, start):
    full = create_encoder("efficientnet_lite0") if policy == "paper" else encoder
    rig = PixelRig(FAR_D, lambda blur: 0.6, full)
    rig.move(start)
    task, steps = goal(["cup"], distances=DistanceRange(0.4, 0.8), max_steps=30), []
    outcome = run_focus(rig, focus_policy(policy), task, steps.append)
    commanded = [step.command.value for step in steps if step.command]
    assert all(task.lens.position_min <= position <= task.lens.position_max for position in commanded)
    begun = task.lens.position_min <= start <= task.lens.position_max
    assert begun or commanded
    assert outcome.code is not ErrorCode.INTERNAL


def test_the_policy_sees_no_picture_from_outside_of_the_distances():
    class Watches(Stay):
        seen: list[float] = []  # noqa: RUF012 - one episode

        def act(self, percept):
            self.seen.append(percept.lens.commanded_position)
            return super().act(percept)

    rig = AnalyticRig(position=24.0)
    task = goal(["cat"], lens=rig.lens, distances=DistanceRange(0.5, 0.9))
    policy = Watches()
    outcome = run_focus(rig, policy, task)
    assert policy.seen == [task.lens.position_min]
    assert outcome.steps == 1


def test_an_object_outside_of_the_distances_is_not_found():
    rig = AnalyticRig((Thing(dioptres=0.5),))
    task = goal(["cat"], lens=rig.lens, distances=DistanceRange(0.3, 0.6))
    outcome = run_focus(rig, focus_policy("coarse_to_fine"), task)
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND


def ticking(each: float):
    """A clock that advances by so much whenever it is read [s]."""
    now = [0.0]

    def read() -> float:
        now[0] += each
        return now[0]

    return read


def test_a_goal_of_either_agent_ends_when_its_time_is_up():
    rig = AnalyticRig()
    task, late = goal(["dog"], lens=rig.lens), within(5.0, now=ticking(1.0))
    outcome = run_focus(rig, focus_policy("coarse_to_fine"), task, interrupted=late)
    assert outcome.code is ErrorCode.TIME_EXHAUSTED
    assert outcome.message == "The time of the goal is up. Raise max_seconds, or start nearer to the focus."
    dark = replace(AnalyticRig(), grey_per_us=1e-6)
    outcome = run_exposure(
        dark, HistogramExposure(), ExposureTask(dark.table), interrupted=within(2.0, now=ticking(1.0))
    )
    assert outcome.code is ErrorCode.TIME_EXHAUSTED


def test_other_reasons_come_before_the_time_and_zero_is_no_limit():
    late = within(1.0, lambda: ErrorCode.CANCELED, now=ticking(2.0))
    assert late() is ErrorCode.CANCELED
    assert within(0.0, now=ticking(1e9))() is None


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="max_seconds"):
        within(seconds)


def test_the_shipped_network_of_a_given_region_hears_no_score(encoder):
    # A score of 1 in a blurred picture would tell the belief that the lens is near the focus.
    policy = shipped_focus("plus")
    rig = PixelRig(3.4, lambda blur: 0.0, encoder)
    task = goal(region=FACE)
    policy.reset(task)
    percept = rig.observe()
    picture = replace(percept, detections=task.selection.counted(percept))
    assert policy.extractor.read(picture, task, np.full(4, np.nan)).given[0]
    policy.act(picture)
    dioptres, chances = policy.belief()
    near_here = np.abs(dioptres - 3.4) < 0.25
    assert chances[near_here].sum() < 0.2
