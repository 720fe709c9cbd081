"""What counts as reached: the same picture gets the same verdict through every door, and the right one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import EDGES, AnalyticRig
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("gymnasium")
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.learning.envs.joint import DashaJointEnv
from dasha_ros.learning.envs.parts import RigEnv
from dasha_ros.learning.envs.single import DashaExposureEnv, DashaFocusEnv
from dasha_ros.learning.training.presets import load_preset, verdict_of
from dasha_ros.perception.percept import Detection
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.learned.deployed import ExposureBounds
from dasha_ros.policies.learned.exposure_encoder import LatentExposureExtractor
from dasha_ros.policies.learned.focus_features import LatentFeatureExtractor
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureDecision, ExposureTask, FocusDecision, FocusTask
from dasha_ros.policies.reached import exposure_side, seen
from dasha_ros.policies.rewards import exposure_reward, focus_reward

RULES = ("well_exposed", "acceptable", "good_peak")
READER = LatentExposureExtractor("none", 4)
FOCUS_READER = LatentFeatureExtractor("none", 4)
LABELS = ("cat", "dog")


@st.composite
def percepts(draw):
    """Percepts with any histogram; the mean is one that such a picture can have."""
    counts = np.array(draw(st.lists(st.integers(0, 1000), min_size=10, max_size=10)), np.uint32)
    assume(counts.sum() > 0)
    low, high = (float(counts @ edges / counts.sum()) for edges in (EDGES[:-1], EDGES[1:]))
    peak = int(counts.argmax())
    scores = draw(st.lists(st.tuples(st.sampled_from(LABELS), st.floats(0.0, 1.0)), max_size=4))
    return replace(
        AnalyticRig().observe(),
        histogram_counts=counts,
        histogram_peak=float(EDGES[peak] + EDGES[peak + 1]) / 2,
        mean_grey=low + draw(st.floats(0.0, 1.0)) * (high - low),
        brisque=draw(st.floats(-20.0, 150.0)),
        detections=tuple(
            Detection(label, score, (0.0, 0.0, 9.0, 9.0))
            for label, score in sorted(scores, key=lambda s: -s[1])
        ),
    )


class Shows(AnalyticRig):
    """Shows one picture, whatever it is told."""

    def __init__(self, percept):
        super().__init__()
        self.percept = percept

    def _look(self):
        return self.percept


class Begins:
    """Begins every episode with the same task."""

    def __init__(self, task):
        self._task = task

    def begin(self, rng):
        return self._task


class Content:
    """A policy of either agent that is content with its first picture."""

    name = "content"

    def __init__(self, decision, rule="well_exposed"):
        self._decision, self.rule = decision, rule

    def reset(self, task):
        pass

    def act(self, percept):
        return self._decision


def by_hand(rule, percept):
    """The rules as their sources say them."""
    if rule == "well_exposed":
        bright = percept.histogram_counts[9] / percept.histogram_counts.sum()
        return 60.0 <= percept.mean_grey <= 150.0 and bright <= 0.3
    if rule == "acceptable":
        return 0.1 * 255 <= percept.histogram_peak <= 0.9 * 255
    return exposure_reward(percept.histogram_peak, percept.brisque).value == 1.0


def exposure_doors(rule, percept):
    preset = load_preset("paper", exposure__hand_over=rule, exposure__end="reached", exposure__horizon=9)
    rig, task = Shows(percept), FocusTask(AnalyticRig().lens)
    table = rig.table
    yield "percept", exposure_side(rule, percept) == 0
    yield "batch", READER.read(percept, 3).reached(rule)[0]
    good, _ = ExposureBounds(1, table, rule).see(READER.read(percept, 3))
    yield "deployed", good[0]
    outcome = run_exposure(rig, Content(ExposureDecision(3, done=True), rule), ExposureTask(table))
    yield "loop", outcome.code is ErrorCode.NONE
    yield "learning", verdict_of(preset, "exposure")(percept, task)[0] is ErrorCode.NONE
    env: RigEnv = DashaExposureEnv(rig, Begins(task), preset, READER)
    env.reset(seed=0)
    yield "environment", env.step(3)[2]
    env = DashaJointEnv(rig, Begins(task), preset, READER, FOCUS_READER)
    env.reset(seed=0)
    yield "hand-over", env.step(np.array([3, 0, 0]))[0]["phase"] == 1


@settings(max_examples=60)
@given(percepts(), st.sampled_from(RULES))
def test_every_door_says_the_same_of_an_exposure(percept, rule):
    expected = by_hand(rule, percept)
    assert {name: bool(found) for name, found in exposure_doors(rule, percept)} == dict.fromkeys(
        ("percept", "batch", "deployed", "loop", "learning", "environment", "hand-over"), expected
    )


@settings(max_examples=60)
@given(percepts())
def test_the_classical_controller_stops_where_its_rule_does(percept):
    policy = HistogramExposure()
    policy.reset(ExposureTask(AnalyticRig().table))
    stopped = policy.act(percept)
    if by_hand("well_exposed", percept):
        assert stopped.done
    elif stopped.done:
        assert (
            run_exposure(Shows(percept), policy, ExposureTask(AnalyticRig().table)).code is not ErrorCode.NONE
        )


@settings(max_examples=60)
@given(
    percepts(),
    st.frozensets(st.sampled_from(LABELS)),
    st.floats(0.05, 0.95),
    st.floats(0.0, 120.0),
)
def test_every_door_says_the_same_of_a_focus(percept, labels, min_score, max_brisque):
    task = FocusTask(AnalyticRig().lens, labels, min_score, max_brisque)
    is_seen = any(d.score >= min_score and (not labels or d.label in labels) for d in percept.detections)
    code = (
        ErrorCode.OBJECT_NOT_FOUND
        if not is_seen
        else ErrorCode.QUALITY_NOT_REACHED
        if percept.brisque > max_brisque
        else ErrorCode.NONE
    )
    preset, rig = load_preset("paper"), Shows(percept)
    assert bool(seen(percept, task)) == is_seen
    assert FOCUS_READER.read(percept, task, np.full(4, np.nan)).detected[0] == is_seen
    assert verdict_of(preset, "focus")(percept, task)[0] is code
    outcome = run_focus(rig, Content(FocusDecision(24.0, done=True, found=True)), task)
    assert outcome.code is code
    assert (outcome.detection is not None) == is_seen
    env = DashaFocusEnv(rig, Begins(task), preset, FOCUS_READER)
    env.reset(seed=0)
    _, reward, terminated, _, _ = env.step(np.array([20, 5]))
    assert terminated == is_seen
    assert reward == pytest.approx(focus_reward(is_seen, percept.brisque).value)


@settings(max_examples=60)
@given(percepts())
def test_what_equation_7_pays_for_is_never_refused_by_the_paper(percept):
    if exposure_reward(percept.histogram_peak, percept.brisque).value == 1.0:
        code, _ = verdict_of(load_preset("paper"), "exposure")(percept, FocusTask(AnalyticRig().lens))
        assert code is ErrorCode.NONE


def test_a_verdict_says_what_was_seen():
    dark = AnalyticRig(exposure_us=100.0).observe()
    task = FocusTask(AnalyticRig().lens)
    code, what = verdict_of(load_preset("plus"), "exposure")(dark, task)
    assert code is ErrorCode.EXPOSURE_NOT_REACHED
    assert f"mean grey {dark.mean_grey:.0f}" in what
    assert (
        "the histogram's peak is at 13 of 255" in verdict_of(load_preset("paper"), "exposure")(dark, task)[1]
    )
