"""A^H as it was learned: a small network over what its interface makes of percepts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dasha_ros.agents.classical_exposure import exposure_error
from dasha_ros.agents.exposure_interface import ExposureInterface, exposure_reader
from dasha_ros.agents.policy import ExposureDecision, ExposureTask
from dasha_ros.agents.policy_file import (
    PolicyFile,
    PolicyFileError,
    check_encoder,
    check_table,
    shipped_policy,
)
from dasha_ros.perception.percept import Percept

_ROW = np.zeros(1, np.intp)


class LearnedExposure:
    """Runs a policy file. Holds the state of one episode.

    Stop rule: the picture is well exposed (`classical_exposure.well_exposed`). What was found too
    dark or too bright bounds what is asked for next, so the search ends: the likeliest exposure
    between the bounds is taken.
    """

    def __init__(self, path: Path, sampled: bool = False, seed: int | None = None) -> None:
        """Read a policy.

        Args:
            path: The ``.npz``.
            sampled: Draw actions by their probabilities instead of taking the likeliest.
            seed: Of the draws.

        Raises:
            PolicyFileError: The file can't be used; the message says what to do.
        """
        self.file = PolicyFile.load(path, "exposure")
        self.name = self.file.info.preset
        try:
            self.reader = exposure_reader(self.file.info.reader, self.file.info.encoder, self.file.reader)
        except (ValueError, TypeError) as error:
            raise PolicyFileError(f"the policy {path} is damaged ({error}): train it again") from error
        self._rng = np.random.default_rng(seed) if sampled else None
        self._task: ExposureTask | None = None
        self._interface: ExposureInterface | None = None
        self._too_dark, self._too_bright = -1, 0

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode.

        Raises:
            PolicyFileError: The table is another than the policy was trained with.
        """
        check_table(self.file.info, task.table.id)
        self._task, self._interface = task, None
        self._too_dark, self._too_bright = -1, len(task.table)

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            PolicyFileError: The percept comes from an encoder that the policy does not know.
            RuntimeError: `reset` was never called.
        """
        if self._task is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        check_encoder(self.file.info, percept.encoder)
        here = self._task.table.nearest(percept.capture.exposure_us)
        error = exposure_error(percept)
        if error == 0:
            return ExposureDecision(here, done=True, reached=True)
        if error < 0:
            self._too_dark = max(self._too_dark, here)
        else:
            self._too_bright = min(self._too_bright, here)
        if self._too_bright - self._too_dark <= 1:
            return ExposureDecision(here, done=True)
        pictures = self.reader.read(percept, here)
        if self._interface is None:
            self._interface = self.reader.interface(len(self._task.table), 1)
            self._interface.reset(_ROW, pictures)
        else:
            self._interface.see(_ROW, pictures)
        ranked = self.file.net.ranked(self._interface.observation(), self._rng)[0, :, 0]
        open_ones = ranked[(ranked > self._too_dark) & (ranked < self._too_bright)]
        return ExposureDecision(int(open_ones[0]))


def shipped_exposure(name: str) -> LearnedExposure:
    """A policy that ships with the package.

    Raises:
        PolicyFileError: It is missing or damaged.
    """
    return LearnedExposure(shipped_policy(name, "exposure"))
