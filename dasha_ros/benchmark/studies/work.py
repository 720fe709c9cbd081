"""What the tasks of a study do: pure functions, which give equal rows on every machine.

Times that were measured are no part of the rows, because they are never equal: wall times hold exposure,
settling and transport, and no time for the policy's decisions. One thread computes, because sums of several
depend on their number.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dasha_ros.benchmark import evaluation, exposure
from dasha_ros.benchmark.methods import Method, exposure_methods, focus_methods
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.studies.task import Result, StudyError
from dasha_ros.benchmark.testbed import Testbed, cache_testbed
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import cache_root, first_cache, not_looked_into
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.evaluation.settings import focus_setting
from dasha_ros.policies.learned.policy_file import Agent

POLICY_FILE = "policy.npz"
"""Name of the policy among the files of a training's result."""


@dataclass(frozen=True)
class Rules:
    """How episodes are played."""

    agent: Agent
    cache: str
    """Key of the percept cache."""
    split: int
    seed: int
    episodes: int
    settings: tuple[str, ...]
    """Of A^L; none for A^H."""
    exposure_policy: str
    step_ms: float


@dataclass(frozen=True)
class Playing:
    """A policy plays."""

    rules: Rules
    policy: str
    """Its name, or how rows call it."""
    digest: str
    """Of its policy file; empty: it has none."""


@dataclass(frozen=True)
class Training:
    """A preset learns, and plays."""

    rules: Rules
    preset: dict[str, Any]
    """As `Preset.model_dump`."""
    steps: int | None


@dataclass(frozen=True)
class Carried:
    """What travels with a task, besides its inputs."""

    cache: str
    """Folder of the percept cache on the driver's machine."""
    policy: bytes | None = None
    """Content of a policy file that does not ship."""


def play(inputs: Playing, carried: Carried) -> Result:
    """Play a policy on the test views of a split.

    Raises:
        CacheError: This machine has no such percept cache.
        StudyError: This machine has another policy of this name.
    """
    with tempfile.TemporaryDirectory(prefix="dasha_study_") as folder:
        name = inputs.policy
        if carried.policy is not None:
            path = Path(folder) / POLICY_FILE
            path.write_bytes(carried.policy)
            name = str(path)
        return Result(_rows(inputs.rules, carried, name, inputs.policy, inputs.digest))


def train(inputs: Training, carried: Carried) -> Result:
    """Train a preset on a split, and play the policy on the split's test views.

    Raises:
        CacheError: This machine has no such percept cache.
        TrainingError: The learner diverged.
        ImportError: stable-baselines3 is not installed.
    """
    import torch

    from dasha_ros.learning.training.presets import preset_from
    from dasha_ros.learning.training.run_folder import RunFolder
    from dasha_ros.learning.training.train import plan
    from dasha_ros.learning.training.train import train as learn

    torch.set_num_threads(1)
    rules, preset = inputs.rules, preset_from(inputs.preset, "of the study")
    cache = PerceptCache.open(_place(rules.cache, carried.cache), verify=False)
    with tempfile.TemporaryDirectory(prefix="dasha_study_") as folder:
        run = RunFolder(Path(folder) / "run")
        made = plan(rules.agent, preset, cache, seed=rules.seed, split=rules.split, steps=inputs.steps)
        # The policy file tells the command; it must not differ between workers.
        info = replace(made, command=("dasha", "study", "run"))
        run.create(info)
        learn(run, info, cache)
        rows = _rows(rules, carried, str(run.policy), f"{preset.name}, trained")
        return Result(rows, {POLICY_FILE: run.policy.read_bytes()})


def _rows(rules: Rules, carried: Carried, name: str, title: str, digest: str = "") -> list[Row]:
    """Rows of all settings, with the study's own columns."""
    testbed = _testbed(_place(rules.cache, carried.cache), rules.agent, rules.split + 1)
    part, arena = testbed.parts[rules.split], testbed.arena
    rows: list[Row] = []
    if rules.agent == "exposure":
        acting = exposure_methods(name, seed=rules.seed)
        _check(acting, title, digest)
        shown = exposure.play(arena, acting, part.numbers, per_view=rules.episodes, seed=rules.seed)
        rows = exposure.exposure_rows(
            [(method, replace(trial, decide_ms=0.0)) for method, trial in shown],
            split=rules.split, arena=arena.name, step_ms=rules.step_ms,
        )  # fmt: skip
    for setting in map(focus_setting, rules.settings):
        methods = focus_methods(name, knowledge=part.knowledge[0], seed=rules.seed)
        _check(methods, title, digest)
        done = evaluation.play(
            arena, methods, setting, part.numbers, per_view=rules.episodes, seed=rules.seed,
            split=rules.split, exposure=rules.exposure_policy,
        )  # fmt: skip
        rows += evaluation.focus_rows(
            [(method, replace(trial, decide_ms=0.0)) for method, trial in done],
            setting.name, split=rules.split, arena=arena.name, step_ms=rules.step_ms,
        )  # fmt: skip
    own = {"policy": title, "seed": rules.seed, "cache": rules.cache}
    return [{**{key: row[key] for key in row if key != "decide_ms"}, **own} for row in rows]


def _check(methods: Sequence[Method[Any, Any]], title: str, digest: str) -> None:
    if digest and any(method.digest != digest for method in methods):
        raise StudyError(
            f"the policy {title} on this machine is another one than the driver's: install the same package"
        )


@lru_cache(maxsize=4)
def _testbed(cache: Path, agent: Agent, splits: int) -> Testbed:
    return cache_testbed(cache, agent, (), splits=splits)


@lru_cache(maxsize=16)
def _place(key: str, folder: str) -> Path:
    """Where this machine has the cache: in the driver's folder, or in the default place."""
    candidates = [Path(folder), *sorted(meta.parent for meta in cache_root().glob("*/meta.json"))]
    there = (place for place in candidates if (place / "meta.json").exists())
    found, damaged = first_cache(there, lambda meta: meta.key == key)
    if found is not None:
        return found
    raise CacheError(
        f"this machine has no percept cache {key[:12]}, neither in {folder} nor in {cache_root()}: copy the "
        f"driver's, or let both see the same folder{not_looked_into(damaged)}"
    )
