"""The folder of a training run: everything needed to repeat it, and its results.

``run.json`` (configuration, command, versions, scenes), ``evaluations.jsonl``, ``checkpoint``,
``tensorboard/``, ``best.npz`` (the policy). `benchmark.model_card` writes a model card from them. The
folder of a joint run (`joint.run`) holds ``joint.json`` and a folder for each agent.
"""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from dasha_ros import __version__
from dasha_ros.files import version_0_1
from dasha_ros.files.documents import read_json
from dasha_ros.files.locking import folder_locked
from dasha_ros.files.validation import reasons
from dasha_ros.files.writing import disk_errors, write_whole

Agent = Literal["exposure", "focus"]
RUN, JOINT_PLAN = "run.json", "joint.json"
"""The settings of a run, and of a joint run."""
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


def _named(preset: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(preset.get("name"), str):
        raise ValueError("it has no name")
    return preset


@dataclass(frozen=True)
class RunInfo:
    """All settings of a run. Two runs with equal settings have equal learning curves."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    agent: Agent
    preset: Annotated[dict[str, Any], AfterValidator(_named)]
    """As `Preset.model_dump`."""
    cache: str
    """Absolute path of the folder of the percept cache."""
    cache_key: str
    """Digest of everything that changes a percept of it."""
    seed: Annotated[int, Field(ge=0)]
    split: Annotated[int, Field(ge=0)]
    """Number of the split by photograph."""
    steps: Annotated[int, Field(ge=1)]
    evaluate_every: Annotated[int, Field(ge=1)]
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
            TypeError: The document does not hold keys and values.
            ValueError: Another key is missing, there is one too many, or a value can't be one of a run.
        """
        # A missing command would become that of this process.
        document = {**document, "command": document["command"]}
        if isinstance(preset := document.get("preset"), dict):
            document["preset"] = version_0_1.preset(preset)
        try:
            return TypeAdapter(cls).validate_python(document)
        except ValidationError as error:
            raise ValueError(reasons(error)) from error


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
        return (self.path / RUN).exists()

    def create(self, info: RunInfo) -> None:
        """Begin a run.

        Raises:
            TrainingError: The folder already holds one, can't be written, or another process uses it.
        """
        with beginning(self.path):
            self.write(RUN, json.dumps(asdict(info), indent=1).encode())

    def info(self) -> RunInfo:
        """Read the settings of the folder's run.

        Raises:
            TrainingError: There is none, or it can't be read.
        """
        path = self.path / RUN
        if not path.exists():
            raise nothing_to_resume(self.path, "run of one agent")
        try:
            return RunInfo.from_dict(read_json(path))
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(path, error) from error

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


def going_on(folder: Path) -> str:
    """The command that goes on with the run in a folder, whatever its kind; empty if it holds none.

    Raises:
        TrainingError: The run's settings can't be read.
    """
    who, where = "joint", folder
    if not (folder / JOINT_PLAN).exists():
        if not (run := RunFolder(folder)).holds_run:
            return ""
        info = run.info()
        who, where = ("joint", folder.parent) if info.handed_over else (info.agent, folder)
    return shlex.join(["dasha", "train", who, "--resume", str(where)])


def refuse_used(folder: Path) -> None:
    """Refuse to begin a run, of whatever kind, where there is one.

    Raises:
        TrainingError: The folder holds a run; the message says what goes on with it.
    """
    if command := going_on(folder):
        raise TrainingError(f"{folder} already holds a run: go on with `{command}`, or give another folder")


@contextmanager
def beginning(folder: Path) -> Iterator[None]:
    """Around what begins a run, of whatever kind, in a folder: no other process begins one there.

    Raises:
        TrainingError: The folder holds a run, can't be written, or another process uses it.
    """
    refuse_used(folder)
    with locked(folder):
        # Another process may have begun one in the meantime.
        refuse_used(folder)
        yield


def locked(folder: Path) -> AbstractContextManager[None]:
    """Keep other processes from a run's folder until the block ends; `TrainingError` if one is there."""
    busy = f"another process trains in {folder}: wait for it, or end it"
    return folder_locked(folder, TrainingError, busy, _going_on(folder))


def nothing_to_resume(folder: Path, wanted: str) -> TrainingError:
    """The error for a folder that holds no run of the wanted kind.

    Raises:
        TrainingError: It holds one of the other kind, whose settings can't be read.
    """
    if command := going_on(folder):
        return TrainingError(f"{folder} holds no {wanted}, but another one: go on with `{command}`")
    return TrainingError(f"{folder} holds no {wanted}: begin one without --resume")


def damaged(path: Path, error: Exception) -> TrainingError:
    """The error for a run's settings that can't be read."""
    return TrainingError(f"{path} is damaged ({error}): begin a new run in another folder")


def writing(folder: Path) -> AbstractContextManager[None]:
    """Around what writes into a run's folder: failures of the disk become a `TrainingError`."""
    return disk_errors(TrainingError, folder, _going_on(folder))


def _going_on(folder: Path) -> str:
    return f" and go on with `--resume {folder}`"
