"""The folder of a training run: everything needed to repeat it, and its results.

``run.json`` (configuration, command, versions, scenes), ``evaluations.jsonl``, ``checkpoint``,
``tensorboard/``, ``best.npz`` (the policy). `benchmark.model_card` writes a model card from them.
"""

from __future__ import annotations

import json
import platform
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from dasha_ros import __version__
from dasha_ros.files import version_0_1
from dasha_ros.files.documents import read_json
from dasha_ros.files.writing import disk_errors, write_whole

Agent = Literal["exposure", "focus"]
PACKAGES = ("numpy", "torch", "stable-baselines3", "gymnasium")


class TrainingError(Exception):
    """A run that can't begin or resume; the message says why and what to do."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a learning curve depends on."""
    found = {"dasha_ros": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


@dataclass(frozen=True)
class RunInfo:
    """All settings of a run. Two runs with equal settings have equal learning curves."""

    agent: Agent
    preset: dict[str, Any]
    """As `Preset.model_dump`."""
    cache: str
    """Folder of the percept cache."""
    cache_key: str
    """Digest of everything that changes a percept of it."""
    seed: int
    split: int
    """Number of the split by photograph."""
    steps: int
    evaluate_every: int
    """Steps between two evaluations."""
    exposures: str
    """Id of the exposure table."""
    lens: str
    """Id of the lens profile."""
    command: tuple[str, ...] = field(default_factory=lambda: ("dasha", *sys.argv[1:]))
    versions: dict[str, str] = field(default_factory=versions)
    scenes: dict[str, list[str]] = field(default_factory=dict)
    """Names of the views for training, validation and test."""
    pictures: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every photograph."""
    handed_over: bool = False
    """Part of a joint run: episodes of A^L begin with the exposures that A^H hands over."""

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> RunInfo:
        """The inverse of `dataclasses.asdict`.

        Raises:
            KeyError: The command is missing.
            TypeError: Another key is missing, or there is one too many.
        """
        document = {**document, "command": tuple(document["command"])}
        if isinstance(preset := document.get("preset"), dict):
            document["preset"] = version_0_1.preset(preset)
        return cls(**document)


class RunFolder:
    """Reads and writes a run's files, each whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint"
        self.policy = path / "best.npz"
        self.tensorboard = path / "tensorboard"

    @property
    def holds_run(self) -> bool:
        """Whether the folder holds a run."""
        return (self.path / "run.json").exists()

    def create(self, info: RunInfo) -> None:
        """Begin a run.

        Raises:
            TrainingError: The folder already holds one, or can't be written.
        """
        if self.holds_run:
            raise TrainingError(
                f"{self.path} already holds a run: go on with `--resume {self.path}`, or give another folder"
            )
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self.write("run.json", json.dumps(asdict(info), indent=1).encode())

    def info(self) -> RunInfo:
        """Read the settings of the folder's run.

        Raises:
            TrainingError: There is none, or it can't be read.
        """
        path = self.path / "run.json"
        if not path.exists():
            raise TrainingError(f"{self.path} holds no run: begin one without --resume")
        try:
            return RunInfo.from_dict(read_json(path))
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged ({error}): begin a new run") from error

    def write(self, name: str, content: bytes) -> None:
        """Replace a file.

        Raises:
            TrainingError: The disk is full, or the folder can't be written.
        """
        with writing(self.path):
            write_whole(self.path / name, content, durable=True)

    def write_evaluations(self, evaluations: list[dict[str, float]]) -> None:
        """One line for each evaluation."""
        lines = "".join(json.dumps(evaluation) + "\n" for evaluation in evaluations)
        self.write("evaluations.jsonl", lines.encode())


def writing(folder: Path) -> AbstractContextManager[None]:
    """Around what writes into a run's folder: failures of the disk become a `TrainingError`."""
    return disk_errors(TrainingError, folder, f" and go on with `--resume {folder}`")
