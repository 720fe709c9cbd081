"""What is played again is the goal that was recorded: what it selects, its distances, and its exposures."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from analytic_rig import AnalyticRig, Thing
from told_steps import told

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.limited_lens import DistanceRange
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.report import Goal, ReportError, ReportWriter, load
from dasha_ros.report.explain.explanation import explain

LEFT = (0.0, 0.3, 0.5, 0.9)
CAT = Thing("cat", 1.0, box=(40.0, 150.0, 160.0, 260.0))
BOLD_CAT = Thing("cat", 3.0, seen_px=40.0, score=0.97, box=(400.0, 150.0, 520.0, 260.0))
BOLD_DOG = Thing("dog", 3.0, seen_px=40.0, score=0.97, box=(400.0, 150.0, 520.0, 260.0))
ENDED = {
    "error_code": 0, "error_name": "NONE", "error_msg": "", "exposure_steps": 1, "focus_steps": 1,
    "seconds": 1.0,
}  # fmt: skip


def report(folder, goal, steps, **setup):
    running = ReportWriter(folder).begin(
        goal, {"exposure_policy": "histogram", "focus_policy": "coarse_to_fine", **setup}
    )
    for step in steps:
        running.step(told(step)[0], None, told(step)[1])
    return running.finish(ENDED)


@pytest.mark.parametrize(
    ("others", "asked"),
    [
        (BOLD_CAT, {"labels": ("cat",), "region": LEFT}),
        (BOLD_DOG, {"labels": ("cat",), "any_object": True}),
        (BOLD_DOG, {"labels": ("cat", "dog"), "by_priority": True}),
        (BOLD_DOG, {"labels": ("cat",), "min_distance_m": 0.7, "max_distance_m": 5.0}),
    ],
)
def test_a_goal_decides_again_about_what_it_asked_for(tmp_path, others, asked):
    goal = Goal(**asked, min_score=0.3, max_brisque=100.0, max_steps=60)
    rig = AnalyticRig((CAT, others))
    rig.position = rig.felt = rig.lens.position_max
    lens = LensInfo.of(rig.lens)
    limited = DistanceRange(goal.min_distance_m, goal.max_distance_m).limit(lens.model())
    labels, selection = goal.wanted
    steps = []
    task = FocusTask(limited, labels, selection=selection, min_score=0.3)
    done = run_focus(rig, focus_policy("coarse_to_fine"), task, steps.append)
    folder = report(tmp_path, goal, steps, lens=asdict(lens))
    explained = list(explain(load(folder), folder))
    assert len(explained) == len(steps) > 3
    assert all(each.is_reproduced for each in explained)
    assert explained[-1].decided.done
    assert done.code == ErrorCode.NONE
    assert [each * size for each, size in zip(explained[-1].box, (640, 340) * 2, strict=True)] == (
        pytest.approx(done.detection.box)
    )


def test_a_goal_has_as_much_gain_again_as_it_asked_for(tmp_path):
    table = exposure_table().with_gain(20.0)
    rig = AnalyticRig(exposure_us=table.exposure_us(0), grey_per_us=20.0 / table.values_us[-1])
    steps = []
    run_exposure(rig, exposure_policy("histogram"), ExposureTask(table), steps.append)
    folder = report(tmp_path, {"max_steps": 60}, steps)
    explained = list(explain(load(folder), folder))
    assert explained[-1].step.command.exposure_us == table.exposure_us(len(table) - 1), "all that there is"
    assert all(each.is_reproduced for each in explained)


def test_distances_that_the_lens_does_not_have_are_refused(tmp_path):
    steps = []
    rig = AnalyticRig()
    run_focus(rig, focus_policy("coarse_to_fine"), FocusTask(rig.lens), steps.append)
    folder = report(
        tmp_path,
        {"min_distance_m": 1e-3, "max_distance_m": 2e-3},
        steps[:1],
        lens=asdict(LensInfo.of(rig.lens)),
    )
    with pytest.raises(ReportError, match=r"goal can't be played again: .*in its reach"):
        list(explain(load(folder), folder))
