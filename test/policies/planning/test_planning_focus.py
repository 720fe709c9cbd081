"""The baselines that decide from the belief: in a shipped scene, and where they cannot work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from analytic_rig import AnalyticRig

from dasha_ros.benchmark.focus import benchmark_focus
from dasha_ros.policies.learned.policy_file import PolicyFileError
from dasha_ros.policies.planning.focus import BeliefFocus, GreedyFocus, PlannerFocus
from dasha_ros.policies.policy import FocusTask

POLICIES = [GreedyFocus, PlannerFocus]


def test_the_baselines_find_the_cup_before_the_street() -> None:
    """Contrast finds the street."""
    rows = benchmark_focus(["greedy", "planner"], ["cup"], 2)
    assert [(row["policy"], row["within_2px"]) for row in rows if row["goal"] == "all"] == [
        ("greedy", 1.0),
        ("planner", 1.0),
    ]


@pytest.mark.parametrize("policy", POLICIES)
def test_an_episode_begins_with_a_reset(policy: type[BeliefFocus]) -> None:
    nothing: Any = SimpleNamespace(encoder="")
    with pytest.raises(RuntimeError, match="act before reset"):
        policy().act(nothing)


@pytest.mark.parametrize("policy", POLICIES)
def test_another_encoder_is_refused_with_what_to_do(policy: type[BeliefFocus]) -> None:
    rig = AnalyticRig()
    made = policy()
    made.reset(FocusTask(rig.lens))
    with pytest.raises(PolicyFileError, match="set perception's `encoder`"):
        made.act(rig.observe())
