"""`paper` decides as in version 0.1, which knew one lens, in volts; and what a lens says of itself is enough.

`decisions_0_1.json` was written by that version: where each of twelve episodes with random percepts began,
where the lens was sent, and how it ended. The network of `plus` is a newer one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dasha_ros.estimation.readout import GRID_SIZE
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.policy_file import shipped_policy
from dasha_ros.policies.policy import FocusTask

LATENT = {"plus": GRID_SIZE, "paper": 1280}
RECORDED: dict[str, list[list[Any]]] = json.loads(
    Path(__file__).with_name("decisions_0_1.json").read_text(encoding="utf-8")
)


def percept(rng: np.random.Generator, encoder: str, size: int, position: float) -> Percept:
    score = float(rng.uniform(0, 1))
    seen = (Detection("cat", score, (100.0, 80.0, 300.0, 260.0), 1.0),) if rng.random() < 0.6 else ()
    return Percept(
        CaptureInfo(1, 1000.0, 0.0, NO_COMMAND, 1),
        LensState(NO_COMMAND, position, position, settled=True, settled_at_ns=0),
        640,
        340,
        encoder,
        np.abs(rng.standard_normal(size)).astype(np.float32),
        np.ones(10, np.uint32),
        np.linspace(0, 255, 11, dtype=np.float32),
        100.0,
        110.0,
        float(rng.uniform(10, 70)),
        1.0,
        seen,
    )


def decisions(name: str, seed: int, lens: LensModel) -> list[Any]:
    policy, rng = LearnedFocus(shipped_policy(name, "focus")), np.random.default_rng(seed)
    policy.reset(FocusTask(lens, frozenset({"cat"})))
    at = float(rng.uniform(24, 70))
    row: list[Any] = [at]
    for _ in range(14):
        decision = policy.act(percept(rng, policy.file.info.encoder, LATENT[name], at))
        if decision.done:
            return [*row, ["done", decision.found]]
        at = decision.position
        row.append(at)
    return row


@pytest.mark.parametrize("name", RECORDED)
def test_decisions_are_those_of_version_0_1(name: str) -> None:
    """Its percepts hold no detail, so nothing is known of the object's own sharpness."""
    for seed, recorded in enumerate(RECORDED[name]):
        assert_same(decisions(name, seed, lens_model()), recorded)


@pytest.mark.parametrize("name", LATENT)
def test_they_are_the_same_from_what_the_lens_says_of_itself(name: str) -> None:
    lens = LensInfo.of(lens_model()).model()
    for seed in range(12):
        assert_same(decisions(name, seed, lens), decisions(name, seed, lens_model()))


def assert_same(row: list[Any], recorded: list[Any]) -> None:
    assert len(row) == len(recorded)
    for now, then in zip(row, recorded, strict=True):
        assert now == (then if isinstance(then, list) else pytest.approx(then, abs=1e-4))
