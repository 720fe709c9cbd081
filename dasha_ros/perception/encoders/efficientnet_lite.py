"""EfficientNet-Lite0 on ONNX Runtime: its last layer, and its early layers, which show blur."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.session import OnnxSession, model_path

_INPUT_SIZE = 224
_EARLY_WIDTH = 448
_EARLY_MULTIPLE = 32


class _EfficientNetLite(ABC):
    """An encoder on one of the graphs that the set-up makes from EfficientNet-Lite0."""

    id: str
    size: int
    _asset: str

    def __init__(self, weights: str | Path | None = None, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one that the set-up makes.
            threads: Threads of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model.
        """
        self._session = OnnxSession(model_path(weights, self._asset), threads)
        found = self._session.metadata.get("encoder")
        if found != self.id:
            raise ModelError(
                f"{self._session.path} holds {found or 'another network'}, not the encoder {self.id}."
            )

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode an image H x W."""
        latent: NDArray[np.float32] = self._session.run(self._resized(grey))["latent"]
        return latent.reshape(-1)

    @abstractmethod
    def _resized(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image in the size that the network takes."""


class EfficientNetLite0(_EfficientNetLite):
    """The layer before the classifier, for the whole frame resized to 224 x 224 pixels."""

    id = "efficientnet_lite0"
    size = 1280
    _asset = models.EFFICIENTNET_LITE0

    def _resized(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        square = cv2.resize(grey, (_INPUT_SIZE, _INPUT_SIZE), interpolation=cv2.INTER_AREA)
        return np.asarray(square, np.uint8)


class EfficientNetLite0Early(_EfficientNetLite):
    """Mean and deviation of each channel of the stem and stages 1 to 3, at a width of 448 pixels.

    Early layers show blur, which the last layer is trained to ignore. The height keeps the frame's shape, to
    the nearest multiple of 32.
    """

    id = "efficientnet_lite0_early"
    size = 224
    _asset = models.EFFICIENTNET_LITE0_EARLY

    def _resized(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return _early_image(grey)


class EfficientNetLite0Grid(_EfficientNetLite):
    """The statistics of `EfficientNetLite0Early` in each of 4 x 7 cells of the frame.

    The cells are in row order; each has 112 means, then 112 deviations. Pooled over all cells, they are the
    early latent of the frame; pooled over the cells under a box, that of an object.
    """

    id = "efficientnet_lite0_grid"
    size = 6272
    _asset = models.EFFICIENTNET_LITE0_GRID

    def _resized(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return _early_image(grey)


def _early_image(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize an image to the width for early layers, and its height to the nearest multiple of 32."""
    rows, columns = grey.shape
    height = max(1, round(_EARLY_WIDTH * rows / columns / _EARLY_MULTIPLE)) * _EARLY_MULTIPLE
    return np.asarray(cv2.resize(grey, (_EARLY_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
