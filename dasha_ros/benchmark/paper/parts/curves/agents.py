"""Learning curves of the package's own agents: trained here, and gone on with after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.model_card import evaluations
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.training.joint.run import PLAN, JointFolder, plan_joint, train_joint
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import RunFolder
from dasha_ros.learning.training.train import plan, train

LOSS = "train/loss"
"""What stable-baselines3 calls the loss that is minimised."""
Told = Callable[[int], None]
"""Called with how many steps are done."""


@dataclass(frozen=True)
class Learned:
    """The curves of one run."""

    focus: list[dict[str, float]]
    """Evaluations of A^L, or of a rival, on validation views; each has ``steps``."""
    exposure: list[dict[str, float]]
    """Those of A^H; empty: there is none."""
    losses: list[tuple[float, float]]
    """Steps, and the loss of A^L or of a rival there."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"focus": self.focus, "exposure": self.exposure, "losses": [list(at) for at in self.losses]}


def learn_both(
    folder: Path, preset: str, cache: PerceptCache, *, seed: int, split: int, steps: int | None, told: Told
) -> Learned:
    """Train A^H, then A^L from what A^H hands over, or go on with that; see `train_joint`.

    Raises:
        TrainingError: See `train_joint`.
        ImportError: PyTorch or stable-baselines3 is not installed.
    """
    run = JointFolder(folder)
    if not (folder / PLAN).exists():
        run.create(plan_joint(load_preset(preset), cache, seed=seed, split=split, steps=steps))
    before = {"exposure": 0, "focus": run.plan().exposure.steps}
    train_joint(run, cache, report=lambda agent, news: told(before[agent] + news.steps), episodes=20)
    return Learned(evaluations(run.focus), evaluations(run.exposure), losses_of(run.focus))


def learn_focus(
    folder: Path, preset: str, cache: PerceptCache, *, seed: int, split: int, steps: int | None, told: Told
) -> Learned:
    """Train A^L alone, or go on with that; see `train`.

    Raises:
        TrainingError: See `train`.
        ImportError: PyTorch or stable-baselines3 is not installed.
    """
    run = RunFolder(folder)
    goes_on = run.holds_run
    if not goes_on:
        run.create(plan("focus", load_preset(preset), cache, seed=seed, split=split, steps=steps))
    train(run, run.info(), cache, resume=goes_on, report=lambda news: told(news.steps))
    return Learned(evaluations(run), [], losses_of(run))


def losses_of(run: RunFolder) -> list[tuple[float, float]]:
    """Steps and losses that a run wrote for TensorBoard, in order; those of a resumed run once.

    Raises:
        ImportError: TensorBoard is not installed.
    """
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    found: dict[int, float] = {}
    for folder in sorted(path for path in run.tensorboard.glob("*") if path.is_dir()):
        events = EventAccumulator(str(folder))
        events.Reload()
        if LOSS in events.Tags()["scalars"]:
            found |= {event.step: event.value for event in events.Scalars(LOSS)}
    return [(float(step), value) for step, value in sorted(found.items())]
