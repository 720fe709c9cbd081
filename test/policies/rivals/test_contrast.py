"""Whole-frame contrast."""

from __future__ import annotations

import pytest
from analytic_rig import AnalyticRig, Thing
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.control.loop import run_focus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.contrast import ContrastFocus

CAT = frozenset({"cat"})


@settings(max_examples=50)
@given(st.floats(0.0, 3.8), st.floats(24.0, 70.0))
def test_a_plane_is_focused_from_anywhere(depth, start):
    thing = Thing(dioptres=depth)
    rig = AnalyticRig((thing,), background_dioptres=depth, position=start)
    outcome = run_focus(rig, ContrastFocus(), FocusTask(rig.lens, CAT))
    assert outcome.code is ErrorCode.NONE
    assert rig.blur_of(thing) <= 0.5
    assert outcome.steps <= 26


@pytest.mark.parametrize("depth", [0.8, 1.4, 2.0])
def test_before_a_textured_background_the_object_is_missed(depth):
    thing = Thing(dioptres=depth)
    rig = AnalyticRig((thing,), background_dioptres=0.1, background_texture=5.0)
    outcome = run_focus(rig, ContrastFocus(), FocusTask(rig.lens, CAT))
    assert outcome.code is ErrorCode.OBJECT_NOT_FOUND
    assert rig.blur_of(thing) > 5.0


def test_detections_do_not_steer_it():
    with_cat, without = AnalyticRig((Thing(),)), AnalyticRig((Thing(label="dog"),))
    for rig in (with_cat, without):
        run_focus(rig, ContrastFocus(), FocusTask(rig.lens, CAT))
    assert with_cat.history == without.history
