"""Several runs of one preset, every seed on every split, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dasha_ros.benchmark.model_card import evaluations
from dasha_ros.learning.dataset.cache.cells import CellFeatures, Progress, cell_features
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo, TrainingError
from dasha_ros.learning.training.train import plan, train

if TYPE_CHECKING:
    from dasha_ros.learning.training.callbacks import RunProgress


@dataclass(frozen=True)
class Series:
    """What is trained. The same series in the same folder goes on where it was stopped."""

    folder: Path
    preset: Preset
    cache: PerceptCache
    seeds: tuple[int, ...] = (0, 1, 2)
    splits: tuple[int, ...] = (0,)
    """The policy that ships is of the first one; runs on the others show how much that is chance."""
    steps: int | None = None
    """Steps of each run; the preset's if left out."""
    name: str = ""
    """Name of the policy that ships; the preset's if left out."""

    @property
    def policy(self) -> str:
        """Name of the policy that ships, in its file and in tables."""
        return self.name or self.preset.name

    @property
    def stem(self) -> str:
        """Name of the files that ship, without their ends."""
        return f"{self.policy}_focus"

    def command(self) -> tuple[str, ...]:
        """What trains it again, without folders of this machine."""
        words = ["dasha", "train", "ship", "--preset", self.preset.name, "--cache", self.cache.path.name]
        words += [word for seed in self.seeds for word in ("--seed", str(seed))]
        words += [word for split in self.splits for word in ("--split", str(split))]
        words += ["--steps", str(self.steps)] if self.steps else []
        return (*words, *(("--name", self.name) if self.name else ()))

    def runs(self) -> Iterator[tuple[RunFolder, RunInfo]]:
        """Each run and its settings, in the order in which they are trained.

        Raises:
            TrainingError: There is no such split.
        """
        preset = self.preset.model_copy(update={"name": self.policy})
        for split in self.splits:
            for seed in self.seeds:
                info = plan("focus", preset, self.cache, seed=seed, split=split, steps=self.steps)
                run = RunFolder(self.folder / f"split{split}_seed{seed}")
                yield run, replace(info, command=self.command())

    def begin(self) -> None:
        """Make the folders of runs that are not there yet.

        Raises:
            TrainingError: A folder holds another run, or can't be written.
        """
        for run, info in self.runs():
            if not run.holds_run:
                run.create(info)
            elif (other := _difference(run.info(), info)) is not None:
                raise TrainingError(
                    f"{run.path} holds a run with another {other}: give another folder with --out, "
                    "or remove it"
                )

    def train(
        self,
        report_of: Callable[[str], Callable[[RunProgress], None]],
        stopped: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
    ) -> bool:
        """Train what is not trained yet.

        Args:
            report_of: Given the name of a run; returns what is called with its progress.
            stopped: Asked often; returns whether to end early.
            progress: Called with the progress of reading latents.

        Returns:
            Whether every run came to its end.

        Raises:
            TrainingError: A run can't go on, or diverged; the message says which.
        """
        cells: CellFeatures | None = None
        for run, info in self.runs():
            if _is_finished(run, info):
                continue
            if stopped():
                return False
            cells = cells or cell_features(self.cache, progress)
            try:
                done = train(
                    run, info, self.cache, resume=True, cells=cells, report=report_of(run.path.name),
                    stopped=stopped,
                )  # fmt: skip
            except TrainingError as error:
                raise TrainingError(f"{run.path.name}: {error}") from error
            if not done:
                return False
        return True


def _difference(before: RunInfo, now: RunInfo) -> str | None:
    """What decides how a run goes and is not the same; ``None``: nothing."""
    old, new = (json.loads(json.dumps(asdict(info))) for info in (before, now))
    named = {"preset": "preset", "cache_key": "percept cache", "steps": "number of steps", "lens": "lens"}
    return next((what for key, what in named.items() if old[key] != new[key]), None)


def _is_finished(run: RunFolder, info: RunInfo) -> bool:
    """Whether a run needs no more steps."""
    if not (run.path / "evaluations.jsonl").exists() or not run.policy.exists():
        return False
    return evaluations(run)[-1]["steps"] >= info.steps
