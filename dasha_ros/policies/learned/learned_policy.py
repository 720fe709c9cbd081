"""The common part of the learned policies of both agents: a policy file, and how its actions are taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from dasha_ros.policies.learned.policy_file import Agent, PolicyFile, PolicyFileError

Extractor = TypeVar("Extractor")
Arrays = Mapping[str, NDArray[Any]]

ROW = np.zeros(1, np.intp)
"""The only row of a batch of one episode."""


class LearnedPolicy(Generic[Extractor]):
    """Runs a policy file. Subclasses hold the state of one episode."""

    def __init__(
        self,
        path: Path,
        agent: Agent,
        make_extractor: Callable[[str, str, Arrays], Extractor],
        sampled: bool,
        seed: int | None,
    ) -> None:
        """Read a policy.

        Args:
            path: The ``.npz``.
            agent: The agent that the policy must be for.
            make_extractor: Makes the feature extractor from its kind, its encoder and its arrays.
            sampled: Draw actions by their probabilities instead of taking the likeliest.
            seed: Seed of the draws.

        Raises:
            PolicyFileError: The file can't be used; the message says what to do.
        """
        self._path, self.file = path, PolicyFile.load(path, agent)
        self.name = self.file.info.preset
        try:
            self.extractor = make_extractor(
                self.file.info.extractor, self.file.info.encoder, self.file.fitted
            )
        except (ValueError, TypeError) as error:
            raise PolicyFileError(f"the policy {path} is damaged ({error}): train it again") from error
        self._rng = np.random.default_rng(seed) if sampled else None

    def _check_observation(self, size: int) -> None:
        """Refuse a network for observations of another length than the encoder's.

        Raises:
            PolicyFileError: See above.
        """
        if size != self.file.info.observation_size:
            raise self._misfit(
                f"its network takes {self.file.info.observation_size} numbers, but it observes {size}"
            )

    def _check_actions(self, nvec: tuple[int, ...]) -> None:
        """Refuse a network that chooses among more or fewer actions than the encoder knows.

        Raises:
            PolicyFileError: See above.
        """
        if nvec != self.file.info.nvec:
            raise self._misfit(f"its network has {self.file.info.nvec} choices, but {nvec} are possible")

    def _misfit(self, reason: str) -> PolicyFileError:
        return PolicyFileError(
            f"the policy {self._path} was made by another version, or is damaged ({reason}): train it again"
        )
