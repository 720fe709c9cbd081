"""The order of a goal's parts, played by a script."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig

from dasha_ros.control.goal import UNTOLD, _RigParts
from dasha_ros.control.pursuit import Ended, pursue
from dasha_ros.control.step import HIGH_LEVEL, Step
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.object_exposure import Hidden, was_taken_back
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureDecision, ExposureTask, FocusTask
from dasha_ros.policies.registry import focus_policy
from dasha_ros.policies.rewards import Reward

TABLE = exposure_table().with_gain(20.0)
GOOD, MISSING = (ErrorCode.NONE, ""), (ErrorCode.OBJECT_NOT_FOUND, "nothing there")
SPENT, LOST = (ErrorCode.STEPS_EXHAUSTED, "spent"), (ErrorCode.CAMERA_LOST, "lost")


@dataclass
class Script:
    """Ends its parts as told, and notes which were played."""

    searches: list[Ended] = field(default_factory=lambda: [GOOD])
    exposed: Ended = GOOD
    shifted: Ended = GOOD
    black: tuple[float, ...] = (0.3, 0.2, 0.2)
    """Share of black in the pictures of each exposure."""
    bright: float = 0.3
    may_search: bool = True
    off: bool = False
    played: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hidden, self.exposures = Hidden(), 0

    def _lit(self) -> None:
        blank = AnalyticRig().observe()
        black = self.black[min(self.exposures, len(self.black) - 1)]
        self.exposures += 1
        counts = np.array([black, 1.0 - black - self.bright, *[0.0] * 7, self.bright]) * 1000.0
        capture = replace(blank.capture, exposure_us=1000.0 * self.exposures)
        self.hidden.see(replace(blank, capture=capture, histogram_counts=counts.astype(np.uint32)))

    def expose(self) -> Ended:
        self.played.append("expose")
        self._lit()
        return self.exposed

    def focus(self) -> Ended:
        self.played.append("focus")
        return self.searches.pop(0)

    def shift(self, ev: float) -> Ended:
        self.played.append(f"shift {ev:+g}")
        self._lit()
        return self.shifted

    def is_off(self) -> bool:
        return self.off

    def meter(self) -> Ended:
        self.played.append("meter")
        return GOOD

    def hold(self) -> Ended:
        return GOOD


@pytest.mark.parametrize(
    ("script", "ended", "played"),
    [
        (Script(), GOOD, ["expose", "focus"]),
        (Script(off=True), GOOD, ["expose", "focus", "meter"]),
        (Script(exposed=LOST), LOST, ["expose"]),
        (Script([MISSING], black=(0.0,), bright=0.0), MISSING, ["expose", "focus"]),
        (Script([MISSING], may_search=False), MISSING, ["expose", "focus"]),
        (Script([MISSING, GOOD]), GOOD, ["expose", "focus", "shift +2", "focus"]),
        (Script([LOST]), LOST, ["expose", "focus"]),
        (Script([MISSING] * 4), MISSING,
         ["expose", "focus", "shift +2", "focus", "shift +2", "focus", "shift -7", "focus"]),
        (Script([MISSING] * 3, black=(0.3, 0.05)), MISSING,
         ["expose", "focus", "shift +2", "focus", "shift -5", "focus"]),
        (Script([MISSING] * 2, black=(0.05,)), MISSING, ["expose", "focus", "shift -3", "focus"]),
        (Script([MISSING] * 3, bright=0.0), MISSING,
         ["expose", "focus", "shift +2", "focus", "shift +2", "focus"]),
        (Script([MISSING, SPENT]), MISSING, ["expose", "focus", "shift +2", "focus"]),
        (Script([MISSING, LOST]), LOST, ["expose", "focus", "shift +2", "focus"]),
        (Script([MISSING], shifted=LOST), LOST, ["expose", "focus", "shift +2"]),
        (Script([MISSING, GOOD], off=True), GOOD, ["expose", "focus", "shift +2", "focus", "meter"]),
    ],
)  # fmt: skip
def test_parts_follow_from_how_those_before_ended(script: Script, ended: Ended, played: list[str]) -> None:
    assert pursue(script, meters=True) == ended
    assert script.played == played


@pytest.mark.parametrize("searches", [[GOOD], [MISSING]])
def test_without_metering_it_is_exposure_and_focus_as_ever(searches: list[Ended]) -> None:
    script = Script(list(searches), off=True)
    assert pursue(script, meters=False) == searches[0]
    assert script.played == ["expose", "focus"]


@pytest.mark.parametrize(("gains_db", "taken_back"), [((6.0, 12.0, 6.0), True), ((6.0, 9.0, 12.0), False)])
def test_an_exposure_that_is_made_of_gain_may_be_taken_back_like_any_other(
    gains_db: tuple[float, ...], taken_back: bool
) -> None:
    rig = AnalyticRig()
    policies, tasks = (
        (HistogramExposure(), focus_policy("greedy")),
        (ExposureTask(TABLE), FocusTask(rig.lens)),
    )
    parts, blank = _RigParts(rig, policies, tasks, UNTOLD, True), rig.observe()
    for index, gain_db in enumerate(gains_db):
        capture = replace(blank.capture, exposure_us=1e6, gain_db=gain_db)
        seen = replace(blank, capture=capture)
        parts._see(Step(HIGH_LEVEL, index, None, seen, Reward(0.0, {}), ExposureDecision(0)))
    assert was_taken_back(parts._exposures_us) is taken_back
