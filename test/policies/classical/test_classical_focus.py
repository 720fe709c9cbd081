"""The detector-driven search, on rigs in closed form."""

from __future__ import annotations

import pytest
from analytic_rig import AnalyticRig, Thing
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.control.loop import FocusOutcome, run_focus
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.contrast import ContrastFocus
from dasha_ros.policies.search import search_range

depths = st.floats(0.05, 3.8)
starts = st.floats(24.0, 70.0)
FAR_BOX = (10.0, 10.0, 90.0, 120.0)


def run(rig: AnalyticRig, *labels: str, policy=None, **task) -> FocusOutcome:
    return run_focus(rig, policy or CoarseToFineFocus(), FocusTask(rig.lens, frozenset(labels), **task))


@settings(max_examples=100)
@given(depths, starts, st.floats(1.6, 60.0), st.floats(0.0, 1.2), st.sampled_from(["physical", "paper"]))
def test_finds_an_object_anywhere_from_anywhere(depth, start, seen_px, shift_px, profile):
    """Detected only up to 1.6 px of blur, or at any blur at all."""
    thing = Thing(dioptres=depth, seen_px=seen_px, shift_px=shift_px)
    rig = AnalyticRig((thing,), lens=lens_model(profile), position=start, hysteresis=0.05)
    outcome = run(rig, "cat")
    assert outcome.code is ErrorCode.NONE
    assert outcome.detection.label == "cat"
    assert rig.blur_of(thing) <= FOCUSED_PX


@settings(max_examples=100)
@given(depths, starts, st.floats(2.0, 10.0), st.integers(0, 2**31))
def test_noise_does_not_lose_the_object(depth, start, seen_px, seed):
    thing = Thing(dioptres=depth, seen_px=seen_px)
    rig = AnalyticRig((thing,), position=start, hysteresis=0.05, noise=0.03, seed=seed)
    outcome = run(rig, "cat")
    assert outcome.code is ErrorCode.NONE
    assert rig.blur_of(thing) <= 2.0


@settings(max_examples=50)
@given(st.floats(0.8, 2.0), starts, st.floats(2.0, 6.0), st.sampled_from(["cat", "person"]))
def test_of_two_depths_the_one_asked_for_is_focused(near, start, seen_px, label):
    cat = Thing("cat", dioptres=near, seen_px=seen_px)
    person = Thing("person", dioptres=0.1, seen_px=seen_px, box=FAR_BOX)
    rig = AnalyticRig((cat, person), background_texture=10.0, position=start)
    outcome = run(rig, label)
    assert outcome.code is ErrorCode.NONE
    assert rig.blur_of(cat if label == "cat" else person) <= 1.0


def test_whole_frame_contrast_chooses_the_background():
    cat = Thing("cat", dioptres=1.25)
    rig = AnalyticRig((cat,), background_dioptres=0.1, background_texture=10.0)
    outcome = run(rig, "cat", policy=ContrastFocus())
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND
    assert abs(rig.lens.dioptres(rig.position) - 0.1) < 0.11


def test_without_labels_the_best_score_wins():
    """Paper, Fig. 6."""
    weak, strong = Thing("cup", dioptres=2.0, score=0.6, box=FAR_BOX), Thing("cat", dioptres=0.3, score=0.95)
    for start in (24.0, 70.0):
        rig = AnalyticRig((weak, strong), position=start)
        assert run(rig).detection.label == "cat"
        assert rig.blur_of(strong) <= 1.0


def test_a_false_alarm_in_the_blur_does_not_end_the_search():
    """A weak detection elsewhere comes first; the object is far behind it."""
    ghost = Thing("cat", dioptres=3.5, score=0.42, seen_px=2.0, box=FAR_BOX)
    cat = Thing("cat", dioptres=0.4)
    rig = AnalyticRig((ghost, cat), position=70.0)
    run(rig, "cat")
    assert rig.blur_of(cat) <= 1.0


def test_an_object_that_is_not_there_is_not_found_and_the_search_ends():
    rig = AnalyticRig((Thing("dog"),))
    outcome = run(rig, "cat")
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND
    assert outcome.detection is None
    assert outcome.steps <= 40


def test_only_positions_that_focus_something_are_tried():
    rig = AnalyticRig((), position=66.0)
    run(rig, "cat")
    low, high = search_range(rig.lens)
    assert all(low - 0.001 <= position <= high + 0.001 for _, position in rig.history)
    assert high - low < 16.0


def test_an_object_below_min_score_is_not_found():
    rig = AnalyticRig((Thing(score=0.55),))
    assert run(rig, "cat", min_score=0.6).code is ErrorCode.OBJECT_NOT_FOUND
    assert run(AnalyticRig((Thing(score=0.65),)), "cat", min_score=0.6).code is ErrorCode.NONE


def test_quality_that_cannot_be_reached_is_said():
    rig = AnalyticRig((Thing(dioptres=1.25),), background_texture=20.0)
    outcome = run(rig, "cat", max_brisque=20.0)
    assert outcome.code is ErrorCode.QUALITY_NOT_REACHED
    assert "BRISQUE" in outcome.message
    assert outcome.detection is not None


def test_quality_asked_for_is_looked_for_near_the_object():
    """A background half a dioptre behind makes BRISQUE better a little behind the object."""
    thing = Thing(dioptres=1.0, seen_px=6.0)
    make = lambda: AnalyticRig((thing,), background_dioptres=0.75, background_texture=4.0)  # noqa: E731
    free, bound = make(), make()
    sharpest = run(free, "cat").percept.brisque
    outcome = run(bound, "cat", max_brisque=sharpest - 5.0)
    assert outcome.code is ErrorCode.NONE
    assert outcome.percept.brisque <= sharpest - 5.0
    assert bound.blur_of(thing) <= 3.0


def test_the_sweep_ends_soon_after_an_object_has_come_and_gone():
    thing = Thing(dioptres=3.2)
    near_end = AnalyticRig((thing,), position=60.0)
    assert run(near_end, "cat").steps <= 11


def test_a_policy_plays_one_episode_a_reset():
    policy, rig = CoarseToFineFocus(), AnalyticRig()
    run(rig, "cat", policy=policy)
    with pytest.raises(RuntimeError, match="reset"):
        policy.act(rig.observe())
    assert run(AnalyticRig(position=70.0), "cat", policy=policy).code is ErrorCode.NONE
