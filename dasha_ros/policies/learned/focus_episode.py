"""One episode of a policy of A^L that sees through an encoder: what was seen, and where the lens went."""

from __future__ import annotations

from typing import Generic, TypeVar

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.focus_encoder import FocusEncoder, FocusInputs
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor, FocusReader
from dasha_ros.policies.learned.learned_policy import ROW
from dasha_ros.policies.moves import STAY_DIOPTRES, MoveLog
from dasha_ros.policies.policy import FocusTask

Encoder = TypeVar("Encoder", bound=FocusEncoder)


class FocusEpisode(Generic[Encoder]):
    """A batch of one episode.

    Attributes:
        encoder: What the pictures told so far.
        log: The moves so far, with thresholds of the same blur on every lens.
    """

    def __init__(
        self,
        extractor: FocusFeatureExtractor,
        encoder: Encoder,
        task: FocusTask,
        stay_dioptres: float = STAY_DIOPTRES,
    ) -> None:
        """Nothing seen yet.

        Args:
            extractor: Reads the percepts.
            encoder: A new one, for one episode.
            task: The goal.
            stay_dioptres: See `MoveLog`.
        """
        self.encoder = encoder
        self.log = MoveLog(task.lens, 1, stay_dioptres, encoder.scale)
        self._task, self._reader, self._begun = task, FocusReader(extractor), False

    def see(self, percept: Percept) -> FocusInputs:
        """Take in the percept that answers the last command; return what was read from it.

        Raises:
            ModelError: The percept holds no latent of the encoder.
        """
        pictures = self._reader.read(percept, self._task)
        if self._begun:
            self.encoder.see(ROW, pictures)
        else:
            self._begun = True
            self.log.reset(ROW, pictures.position)
            self.encoder.reset(ROW, pictures)
        return pictures
