"""What detectors whose network takes a square picture of one size have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.detectors.boxes import to_detections
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.session import OnnxSession, model_path
from dasha_ros.perception.percept import Detection

Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]
"""Boxes, n x 4: x_min, y_min, x_max, y_max [px of the input]; scores; classes."""


class FixedInputDetector(ABC):
    """A network of `dasha_ros.assets.convert` with a square input, which describes itself in its file.

    It finds the 80 classes of COCO.
    """

    id: ClassVar[str]
    """Name of the detector, which must stand in the file."""
    asset: ClassVar[str]
    """Name of the model to take by default."""
    scores: ClassVar[Mapping[str, int]]
    """The outputs with a score of each class, and the axis of the classes."""

    def __init__(self, weights: str | Path | None = None, input_size: int = 0, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one of the optional set ``detectors``.
            input_size: Not used: the size of the network's input is fixed.
            threads: Threads of each run.

        Raises:
            ModelError: The file is missing (the message says how to fetch it), corrupt or another model.
        """
        self._session = OnnxSession(model_path(weights, self.asset), threads)
        try:
            metadata = self._session.metadata
            if metadata["detector"] != self.id:
                raise ValueError(metadata["detector"])
            self.size = int(metadata["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{self._session.path} is not a model for the detector {self.id}: "
                "give another file as its weights."
            ) from error
        self.labels: tuple[str, ...] = self._session.labels
        for output, axis in self.scores.items():
            self._session.check_output(output, axis)

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find the objects in an image; see `Detector.detect`."""
        outputs, scale = self._run(grey)
        boxes, scores, classes = self._found(outputs, min_score)
        height, width = grey.shape
        return to_detections(
            boxes / scale, scores, classes, names=self.labels, wanted=labels, size=(width, height)
        )

    @abstractmethod
    def _found(self, outputs: Mapping[str, NDArray[np.float32]], min_score: float) -> Found:
        """What the network's outputs, by name, say, without overlaps."""

    def _run(self, grey: NDArray[np.uint8]) -> tuple[dict[str, NDArray[np.float32]], float]:
        """Run the network on an image, scaled into the top left of its input; the rest is black.

        Args:
            grey: H x W, 0..255.

        Returns:
            Every output by name, and the pixels of the input per pixel of the image.
        """
        rows, columns = grey.shape
        scale = self.size / max(rows, columns)
        height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        padded = np.zeros((self.size, self.size), np.uint8)
        padded[:height, :width] = cv2.resize(grey, (width, height), interpolation=interpolation)
        return self._session.run(padded), scale
