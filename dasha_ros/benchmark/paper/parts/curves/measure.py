"""Trains every method with several seeds; a method and seed that are done are not trained again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.part import Context
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.journal import Journal, key_of
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.training.train import split_of

BAND_M = (1.4, 2.0)
"""The paper's band (V.B), in which all but `plus` learn."""
SEEDS = 3
QUICK_AGENT_STEPS, QUICK_RIVAL_STEPS = 1_024, 3_000
QUICK_EPISODES, EPISODES = 30, 400
"""Episodes of an evaluation of a rival; the agents' own evaluations have 400."""


@dataclass(frozen=True)
class Method:
    """One that learns."""

    name: str
    title: str
    kind: str
    """``both``, ``focus``, or the rival ``ten`` or ``phase``."""
    preset: str = ""
    in_quick: bool = True


METHODS = (
    Method("dasha", "DASHA, preset paper_drawn", "both", "paper_drawn"),
    Method("single", "A^L alone, preset paper_drawn", "focus", "paper_drawn"),
    Method("phase", "phase shift [11], ours", "phase"),
    Method("ten", "TEN [12], ours", "ten"),
    Method("plus", "DASHA, preset plus (0.3 to 10 m)", "both", "plus", in_quick=False),
)


def learn_all(context: Context, cache: PerceptCache, split: int, journal: Journal) -> list[Row]:
    """Train every method with every seed.

    Returns:
        Rows: ``method``, ``seed``, ``focus``, ``exposure`` and ``losses`` as in `agents.Learned`.

    Raises:
        ImportError: PyTorch, stable-baselines3 or TensorBoard is not installed.
        TrainingError: A training can't go on.
    """
    methods = [method for method in METHODS if method.in_quick or not context.quick]
    rows = []
    episodes = QUICK_EPISODES if context.quick else EPISODES
    runs = [(method, context.seed + n) for n in range(SEEDS) for method in methods]
    for number, (method, seed) in enumerate(runs):
        steps = _asked(method, context)
        total = _total(method, steps)
        name = key_of(method.kind, method.preset, seed, split, total, cache.meta.key, BAND_M)
        row = journal.take(name, {"method", "seed", "focus", "exposure", "losses"})
        if row is None:

            def told(
                done: int, number: int = number, method: Method = method, seed: int = seed, total: int = total
            ) -> None:
                share = number + min(1.0, done / total)
                context.progress(
                    round(1000 * share), 1000 * len(runs), f"curves: {method.title}, seed {seed}"
                )

            folder = context.folder / "curves" / f"{method.name}_{total}_seed{seed}_{name[:6]}"
            learned = _learned(
                method, folder, cache, seed=seed, split=split, steps=steps, episodes=episodes, told=told
            )
            row = journal.add(name, {"method": method.name, "seed": seed, **learned})
        rows.append(row)
    return rows


def _asked(method: Method, context: Context) -> int | None:
    """Steps of training of each agent, or of the rival; ``None``: as many as its preset says."""
    if context.steps is not None or not context.quick:
        return context.steps
    return QUICK_AGENT_STEPS if method.preset else QUICK_RIVAL_STEPS


def _total(method: Method, steps: int | None) -> int:
    """Steps of a whole training, of both agents where both learn."""
    from dasha_ros.learning.training import rivals
    from dasha_ros.learning.training.presets import load_preset

    if not method.preset:
        return steps or rivals.STEPS
    preset = load_preset(method.preset)
    exposure = steps or preset.exposure.steps
    return (steps or preset.focus.steps) + (exposure if method.kind == "both" else 0)


def _learned(
    method: Method,
    folder: Path,
    cache: PerceptCache,
    *,
    seed: int,
    split: int,
    steps: int | None,
    episodes: int,
    told: Callable[[int], None],
) -> dict[str, Any]:
    from dasha_ros.benchmark.paper.parts.curves.agents import learn_both, learn_focus

    if method.preset:
        learn = learn_both if method.kind == "both" else learn_focus
        made = learn(folder, method.preset, cache, seed=seed, split=split, steps=steps, told=told)
        return made.as_dict()
    from dasha_ros.benchmark.paper.parts.curves.rivals import learn_rival
    from dasha_ros.learning.training.rival_envs import PhaseEnv, TenEnv

    total = _total(method, steps)
    chosen = split_of(cache, split)
    kinds = [view.kind for view in cache.views]
    train = [int(number) for number in chosen.train if kinds[number] == "plane"]
    judged = [int(number) for number in chosen.validation if kinds[number] == "plane"]
    if method.kind == "ten":
        ten = TenEnv(cache, train, band_m=BAND_M), TenEnv(cache, judged, band_m=BAND_M)
        return learn_rival(*ten, seed=seed, steps=total, episodes=episodes, told=told).as_dict()
    phase = PhaseEnv(band_m=BAND_M), PhaseEnv(band_m=BAND_M)
    return learn_rival(*phase, seed=seed, steps=total, episodes=episodes, told=told).as_dict()
