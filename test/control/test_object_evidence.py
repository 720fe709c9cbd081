"""A goal never ends as found on a blurred object, whatever the policy wants and the detector prefers."""

from __future__ import annotations

import numpy as np
import pytest
from pixel_rig import FAR_D, LENS, NEAR_D, PixelRig

from dasha_ros.control.loop import run_focus
from dasha_ros.perception.encoders import create_encoder
from dasha_ros.policies.learned.focus import shipped_focus
from dasha_ros.policies.learned.focus_episode import FocusEpisode
from dasha_ros.policies.learned.object_evidence import ObjectEvidence, shipped_belief
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusDecision, FocusTask
from dasha_ros.policies.registry import focus_policy

TASK = FocusTask(LENS, frozenset({"cup"}), max_steps=80)


def always(blur):
    """A detector that sees the object however blurred it is."""
    return 0.7


def prefers_blur(blur):
    """One that hardly knows the object when it is sharp."""
    return min(0.7, 0.32 + 0.04 * blur)


def prefers_sharp(blur):
    return max(0.0, 0.9 - 0.06 * blur)


class Visits:
    """Visits these places [1/m] and ends at the last of them."""

    name = "visits"

    def __init__(self, *places):
        self.places = places

    def reset(self, task):
        self._left = list(self.places)

    def act(self, percept):
        if not self._left:
            return FocusDecision(percept.lens.commanded_position, done=True, found=True)
        return FocusDecision(LENS.position(self._left.pop(0)))


def test_the_background_in_focus_is_no_success():
    rig = PixelRig(1.2, always)
    outcome = run_focus(rig, Visits(NEAR_D, FAR_D), TASK)
    assert rig.blur_px > 10.0
    assert outcome.code is ErrorCode.QUALITY_NOT_REACHED
    assert "own detail" in outcome.message


def test_a_blurred_start_is_no_success_although_the_detector_is_sure():
    rig = PixelRig(FAR_D, always)
    assert run_focus(rig, Visits(), TASK).code is ErrorCode.QUALITY_NOT_REACHED


def test_an_object_whose_detail_fell_on_both_sides_is_found():
    rig = PixelRig(1.2, prefers_blur)
    outcome = run_focus(rig, Visits(NEAR_D - 0.4, NEAR_D + 0.4, NEAR_D), TASK)
    assert outcome.code is ErrorCode.NONE


def only_sharp(blur):
    """A detector that is silent until the object is nearly in focus."""
    return 0.7 if blur < 1.5 else 0.0


def stated(score, places):
    """The probability after pictures at some places, and what the policy ``plus`` makes of the same."""
    rig = PixelRig(places[0], score, create_encoder("efficientnet_lite0_grid"))
    evidence = ObjectEvidence(TASK)
    _, extractor = shipped_belief()
    encoder = extractor.observation_encoder(LENS, 1, moving=True)
    episode = FocusEpisode(extractor, encoder, TASK)
    for number, place in enumerate(places):
        percept = rig.move(LENS.position(place)) if number else rig.observe()
        if number:
            episode.log.go(np.array([percept.lens.commanded_position]))
        evidence.see(percept)
        episode.see(percept)
    return evidence.probability, float(encoder.sharp_probability(episode.log)[0])


@pytest.mark.parametrize("places", [(NEAR_D - 0.6, NEAR_D), (NEAR_D - 0.4, NEAR_D + 0.4, NEAR_D)])
def test_pictures_from_before_the_first_detection_count_once_the_object_is_found(places):
    """Where it is found, earlier pictures show how blurred it was: as if it had been seen all along."""
    late, late_policy = stated(only_sharp, places)
    assert late == pytest.approx(stated(always, places)[0], abs=1e-6)
    assert late_policy == pytest.approx(late, abs=1e-6)


def test_an_object_that_was_detected_only_in_focus_is_known_to_be_sharp_there():
    """Its detail fell on both sides, in pictures in which no detector saw it."""
    around = NEAR_D - 0.4, NEAR_D + 0.4, NEAR_D
    assert stated(only_sharp, around)[0] > 0.9 > 0.5 > stated(only_sharp, around[-1:])[0]


def test_before_the_first_detection_nothing_is_known():
    assert np.isnan(stated(only_sharp, (FAR_D, NEAR_D - 0.6))).all()


def test_whoever_asks_for_no_evidence_gets_what_the_detector_says():
    rig = PixelRig(FAR_D, always)
    task = FocusTask(LENS, frozenset({"cup"}), min_sharp=0.0)
    assert run_focus(rig, Visits(), task).code is ErrorCode.NONE


@pytest.mark.parametrize("policy", ["plus", "coarse_to_fine"])
@pytest.mark.parametrize("score", [always, prefers_blur, prefers_sharp])
@pytest.mark.parametrize("start", [FAR_D, 3.0])
def test_found_means_sharp(policy, score, start):
    encoder = create_encoder("efficientnet_lite0_grid") if policy == "plus" else None
    rig = PixelRig(start, score, encoder)
    outcome = run_focus(rig, shipped_focus("plus") if encoder else focus_policy(policy), TASK)
    assert outcome.code is not ErrorCode.NONE or rig.blur_px <= 2.0


@pytest.mark.parametrize("start", [FAR_D, 1.2, 3.0])
def test_plus_finds_the_near_object_before_the_busy_background(start):
    rig = PixelRig(start, always, create_encoder("efficientnet_lite0_grid"), texture=0.7)
    outcome = run_focus(rig, shipped_focus("plus"), TASK)
    assert outcome.code is ErrorCode.NONE
    assert rig.blur_px <= 2.0
