"""What detectors whose network takes a square picture of one size have in common."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.session import OnnxSession, model_path


class FixedInput:
    """A network of `dasha_ros.assets.convert` with a square input, which describes itself in its file."""

    def __init__(self, kind: str, weights: str | Path | None, default: str, threads: int) -> None:
        """Open the model.

        Args:
            kind: Name of the detector, which must stand in the file.
            weights: An ``.onnx`` file; ``None`` for the default.
            default: Name of the asset to take by default.
            threads: Threads of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model.
        """
        self._session = OnnxSession(model_path(weights, default), threads)
        try:
            metadata = self._session.metadata
            if metadata["detector"] != kind:
                raise ValueError(metadata["detector"])
            self.labels: tuple[str, ...] = tuple(json.loads(metadata["labels"]))
            self.size = int(metadata["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{self._session.path} is not a model for the detector {kind}: "
                "give another file as its weights."
            ) from error

    def run(self, grey: NDArray[np.uint8]) -> tuple[dict[str, NDArray[np.float32]], float]:
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
