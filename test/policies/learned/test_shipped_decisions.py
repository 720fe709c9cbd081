"""The policies that ship decide what they always decided, in episodes made of numbers alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dasha_ros.estimation.readout import FEATURES, GRID_COLUMNS, GRID_ENCODER, GRID_ROWS, Readout
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.learning.fitting.exposure import CLIP_EV
from dasha_ros.learning.fitting.focus import blur_numbers
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.learned.exposure import LearnedExposure, shipped_exposure
from dasha_ros.policies.learned.focus import LearnedFocus, shipped_focus
from dasha_ros.policies.policy import ExposureTask, FocusTask

STORED = Path(__file__).with_name("shipped_decisions.json")
EPISODES = 24
LENS, TABLE = lens_model(), exposure_table()
EDGES = np.linspace(0.0, 255.0, 11, dtype=np.float32)
LONGEST = 20
SOFT = 0.02
"""What `features` adds to deviations before the logarithm."""

Floats = NDArray[np.float64]


def grid_latent(readout: Readout, numbers: Floats, rng: np.random.Generator) -> NDArray[np.float32]:
    """A latent of equal cells from which a read-out reads these numbers, but for a little noise."""
    weights = np.asarray(readout.weights, np.float64)
    away = np.linalg.lstsq(weights.T, numbers - readout.offset, rcond=None)[0]
    pooled = readout.centre + away + rng.normal(0.0, 0.002, FEATURES)
    half = FEATURES // 2
    cell = np.concatenate([pooled[half:], np.exp(pooled[:half]) - SOFT])
    return np.tile(cell, GRID_ROWS * GRID_COLUMNS).astype(np.float32)


def percept(
    encoder: str, latent: NDArray[np.float32], *, position: float, exposure_us: float, ev: float, blur: float
) -> Percept:
    grey = min(100.0 * 2.0**ev, 255.0)
    counts = np.zeros(10, np.uint32)
    counts[min(int(grey / 25.5), 9)] = 1000
    score = max(0.0, 0.9 - 0.12 * blur)
    box = (500.0, 300.0, 1500.0, 800.0)
    return Percept(
        capture=CaptureInfo(1, exposure_us, 0.0, NO_COMMAND, 0),
        lens=LensState(NO_COMMAND, position, position, True, 0),
        width=2048,
        height=1088,
        encoder=encoder,
        latent=latent,
        histogram_counts=counts,
        histogram_edges=EDGES,
        histogram_peak=float(EDGES[counts.argmax()] + 12.75),
        mean_grey=grey,
        brisque=20.0 + 3.0 * blur,
        sharpness=1.0 / (1.0 + blur),
        detections=(Detection("cat", score, box, 0.1),) if score >= 0.1 else (),
    )


def focus_decisions(policy: LearnedFocus) -> list[list[float]]:
    """Where each episode moves the lens; the last number is 1 where the object was found."""
    played = []
    for episode in range(EPISODES):
        rng = np.random.default_rng(episode)
        target, here = float(rng.uniform(0.1, 3.3)), float(rng.uniform(24.0, 70.0))
        mood = rng.normal(0.0, 1.0, 1280)
        policy.reset(FocusTask(LENS, frozenset({"cat"}), max_steps=LONGEST))
        moves: list[float] = []
        for _ in range(LONGEST):
            blur = abs(LENS.blur_px(LENS.dioptres(here), target))
            if policy.file.info.encoder == GRID_ENCODER:
                numbers = blur_numbers(np.array([blur], np.float32))[0]
                latent = grid_latent(policy.extractor.frame, numbers, rng)
            else:
                latent = (mood * (1.0 + 0.1 * blur)).astype(np.float32)
            decision = policy.act(
                percept(policy.file.info.encoder, latent, position=here, exposure_us=1e4, ev=0.0, blur=blur)
            )
            if decision.done:
                moves.append(float(decision.found))
                break
            here = decision.position
            moves.append(round(here, 4))
        played.append(moves)
    return played


def exposure_decisions(policy: LearnedExposure) -> list[list[int]]:
    """Which exposures each episode sets."""
    played = []
    for episode in range(EPISODES):
        rng = np.random.default_rng(episode)
        mid_us, index = float(np.exp(rng.uniform(np.log(2e3), np.log(2e5)))), int(rng.integers(len(TABLE)))
        mood = rng.normal(0.0, 1.0, 1280)
        policy.reset(ExposureTask(TABLE))
        chosen: list[int] = []
        for _ in range(LONGEST):
            exposure_us = TABLE.exposure_us(index)
            ev = float(np.log2(exposure_us / mid_us))
            if policy.file.info.encoder == GRID_ENCODER:
                numbers = np.array([np.clip(ev, -clip, clip) for clip in CLIP_EV])
                latent = grid_latent(policy.extractor.readout, numbers, rng)
            else:
                latent = (mood + 0.1 * ev).astype(np.float32)
            decision = policy.act(
                percept(
                    policy.file.info.encoder, latent, position=40.0, exposure_us=exposure_us, ev=ev, blur=1.0
                )
            )
            if decision.done:
                break
            index = decision.index
            chosen.append(index)
        played.append(chosen)
    return played


def decisions(name: str) -> list[list[float]] | list[list[int]]:
    """Of a policy that ships: ``PRESET_AGENT``."""
    preset, _, agent = name.rpartition("_")
    if agent == "focus":
        return focus_decisions(shipped_focus(preset))
    return exposure_decisions(shipped_exposure(preset))


@pytest.mark.parametrize(
    "name", ["paper_focus", "plus_focus", "plus_colour_focus", "paper_exposure", "plus_exposure"]
)
def test_shipped_policies_decide_what_they_always_decided(name: str) -> None:
    """The file was written when they were trained; positions are compared to the digits that it holds."""
    stored = json.loads(STORED.read_text())[name]
    decided = decisions(name)
    assert [len(episode) for episode in decided] == [len(episode) for episode in stored]
    for number, (mine, theirs) in enumerate(zip(decided, stored, strict=True)):
        assert mine == pytest.approx(theirs, abs=1e-3), f"episode {number}"
