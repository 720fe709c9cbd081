"""Writes reports: one folder for each goal, which appears only when it is complete."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from dasha_ros.files.validation import reasons
from dasha_ros.report.equipment import Setup
from dasha_ros.report.model import Goal, Outcome, Record, ReportError, Settings, Step
from dasha_ros.report.page import page
from dasha_ros.system.folders import user_folder

BACKGROUND = "background"
"""The folder within that of the reports for goals that run in the background: a trainer sends hundreds an
hour, and they must not push out those of people."""
_FINISHED = re.compile(r"\d{8}T\d{9}Z-.+")
_PARTIAL = re.compile(r"\.\d{8}T\d{9}Z-.+\.(\d+)\.part")

M = TypeVar("M", bound=BaseModel)


def _part(model: type[M], value: object) -> M:
    """Convert ``value`` (a mapping, a dataclass or the model itself) into a validated part of the report."""
    if isinstance(value, model):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ReportError(
            f"the report's {model.__name__.lower()} is not valid: {reasons(error, 'report')}"
        ) from error


class ReportWriter:
    """A folder of reports that keeps the newest ``keep``."""

    def __init__(self, folder: Path | str, keep: int = 100) -> None:
        self.folder = user_folder(folder)
        self.keep = keep

    def begin(
        self,
        goal: Goal | Mapping[str, Any],
        setup: Setup | Mapping[str, Any] | None = None,
        before: Settings | Mapping[str, Any] | None = None,
    ) -> Report:
        """Begin the report of a goal.

        Args:
            goal: The goal.
            setup: The software and models that work on it.
            before: The settings before the first command; may also be set later.

        Raises:
            ReportError: The folder can't be written.
        """
        checked, checked_setup = _part(Goal, goal), _part(Setup, setup or {})
        checked_before = _part(Settings, before or {})
        now = datetime.now(timezone.utc)
        name = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{_slug(checked.labels)}"
        partial = self.folder / f".{name}.{os.getpid()}.part"
        with _sentences(partial, f"no report can be written to {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_orphans()
            partial.mkdir()
        return Report(
            self,
            partial,
            name=name,
            began=now.isoformat(timespec="milliseconds"),
            goal=checked,
            setup=checked_setup,
            before=checked_before,
        )

    def _remove_orphans(self) -> None:
        """Remove unfinished reports of processes that died during a goal."""
        for path in self.folder.iterdir():
            match = _PARTIAL.fullmatch(path.name)
            if match and not Path(f"/proc/{match.group(1)}").exists():
                shutil.rmtree(path, ignore_errors=True)

    def prune(self) -> None:
        """Remove the oldest reports beyond ``keep``. Other files in the folder stay."""
        finished = sorted(p for p in self.folder.iterdir() if _FINISHED.fullmatch(p.name) and p.is_dir())
        for path in finished[: max(0, len(finished) - self.keep)]:
            shutil.rmtree(path, ignore_errors=True)


class Report:
    """The report of a goal that is still running. Not thread-safe."""

    def __init__(
        self,
        writer: ReportWriter,
        partial: Path,
        *,
        name: str,
        began: str,
        goal: Goal,
        setup: Setup,
        before: Settings,
    ) -> None:
        self._writer = writer
        self._partial = partial
        self._name = name
        self._began = began
        self._goal = goal
        self._setup = setup
        self.before = before
        """The settings before the first command."""
        self._steps: list[Step] = []

    def describe(self, **setup: Any) -> None:
        """Set fields of `Setup`.

        Raises:
            ReportError: A value is not what the field holds.
        """
        self._setup = _part(Setup, {**self._setup.model_dump(), **setup})

    def picture(self, name: str, jpeg: bytes) -> None:
        """Save a JPEG as ``NAME.jpg``; the page shows ``before`` and ``after``.

        Raises:
            ReportError: The picture can't be written; the unfinished report is removed.
        """
        with _sentences(self._partial):
            _write(self._partial / f"{name}.jpg", jpeg)

    def step(
        self,
        record: Step | Mapping[str, Any] | object,
        picture: bytes | None = None,
        numbers: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Add one step.

        Args:
            record: A `Step`, or a mapping or dataclass with its fields.
            picture: The annotated frame as JPEG, if there is one.
            numbers: ``latent``, ``detail`` and, if any, ``colour_detail`` of the percept, from which
                `explain` plays the step again.

        Raises:
            ReportError: The step is not valid, or a file can't be written (the unfinished report is removed).
        """
        step = _part(Step, record)
        name = f"step-{len(self._steps):04d}"
        if picture is not None:
            self.picture(name, picture)
            step = step.model_copy(update={"picture": f"{name}.jpg"})
        if numbers:
            with _sentences(self._partial), (self._partial / f"{name}.npz").open("wb") as file:
                np.savez(file, **numbers)  # type: ignore[arg-type]  # the stub wants no names
            step = step.model_copy(update={"numbers": f"{name}.npz"})
        self._steps.append(step)

    def finish(
        self,
        outcome: Outcome | Mapping[str, Any],
        after: Settings | Mapping[str, Any] | None = None,
    ) -> Path:
        """Write the report and return its folder.

        Args:
            outcome: How the goal ended.
            after: The settings now.

        Raises:
            ReportError: The report can't be written; the unfinished report is removed.
        """
        record = Record(
            began=self._began,
            goal=self._goal,
            setup=self._setup,
            before=self.before,
            after=_part(Settings, after or {}),
            outcome=_part(Outcome, outcome),
            steps=tuple(self._steps),
        )
        with _sentences(self._partial):
            pictures = {p.stem for p in self._partial.glob("*.jpg")}
            _write(self._partial / "report.json", record.model_dump_json(indent=1).encode())
            _write(self._partial / "index.html", page(record, pictures).encode())
            folder = self._publish()
        with contextlib.suppress(OSError):  # the report is written; old ones can be removed next time
            self._writer.prune()
        return folder

    def discard(self) -> None:
        """Remove the unfinished report."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _publish(self) -> Path:
        for n in range(1, 1000):
            folder = self._writer.folder / (self._name if n == 1 else f"{self._name}-{n}")
            if not folder.exists():
                self._partial.rename(folder)
                return folder
        raise FileExistsError(17, "a thousand reports of the same millisecond exist", str(self._partial))


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)


@contextlib.contextmanager
def _sentences(partial: Path, what: str = "") -> Iterator[None]:
    """Turn system errors into a `ReportError`, and remove the unfinished report."""
    try:
        yield
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        what = what or f"the report in {partial.parent} could not be written"
        raise ReportError(
            f"{what}: {error.strerror or error}. Free some space or set the parameter report_dir "
            "to a folder that can be written"
        ) from error


def _slug(labels: tuple[str, ...]) -> str:
    text = "+".join(re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "x" for label in labels)
    return text[:60] or "any"
