"""What the focus server remembers of the agents' pictures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from analytic_rig import AnalyticRig

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.policies.object_exposure import was_taken_back
from dasha_ros.ros.goals.parts.agent_parts import AgentParts
from dasha_ros.ros.node.waiter import Waiter


@pytest.mark.parametrize(("gains_db", "taken_back"), [((6.0, 12.0, 6.0), True), ((6.0, 9.0, 12.0), False)])
def test_an_exposure_that_is_made_of_gain_may_be_taken_back_like_any_other(
    gains_db: tuple[float, ...], taken_back: bool
) -> None:
    parts: Any = SimpleNamespace(_exposures_us=[], _waiter=Waiter())
    blank = AnalyticRig().observe()
    for gain_db in gains_db:
        capture = replace(blank.capture, exposure_us=1e6, gain_db=gain_db)
        AgentParts.saw(parts, replace(blank, capture=capture))
    assert was_taken_back(parts._exposures_us) is taken_back
