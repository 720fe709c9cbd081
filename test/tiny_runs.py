"""Training runs of three updates, for tests of what may happen to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo
from dasha_ros.learning.training.train import plan
from dasha_ros.policies.learned.policy_file import Agent, PolicyFile

STEPS = 192
TINY = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "learning_rate": 1e-3, "hidden": [8]}


def run_of(
    agent: Agent, preset: str, cache: PerceptCache, folder: Path, steps: int = STEPS, **changes: Any
) -> tuple[RunFolder, RunInfo]:
    """A run that has not begun, evaluated after every update."""
    chosen = load_preset(preset, **{f"{agent}__ppo": TINY, **changes})
    info = replace(plan(agent, chosen, cache, seed=3, steps=steps), evaluate_every=64)
    run = RunFolder(folder)
    run.create(info)
    return run, info


def weights(run: RunFolder, agent: Agent = "focus") -> dict[str, np.ndarray]:
    """Of the best policy."""
    return PolicyFile.load(run.policy, agent).net.arrays()
