"""EfficientNet-Lite0 on ONNX Runtime: the last layer, and the early ones where blur shows."""

from __future__ import annotations

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


class EfficientNetLite0:
    """The layer before the classifier, of the whole frame squeezed to 224 x 224 pixels."""

    id = "efficientnet_lite0"
    size = 1280

    def __init__(self, weights: str | Path | None = None, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one that the set-up makes.
            threads: Of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model.
        """
        self._session = _open(weights, models.EFFICIENTNET_LITE0, self.id, threads)

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector of an image H x W."""
        square = cv2.resize(grey, (_INPUT_SIZE, _INPUT_SIZE), interpolation=cv2.INTER_AREA)
        return _latent(self._session, square)


class EfficientNetLite0Early:
    """Mean and deviation of each channel of the stem and stages 1 to 3, at a width of 448 pixels.

    Early layers keep blur, which the last layer is trained to ignore. The height
    follows the frame's shape, to the nearest multiple of 32.
    """

    id = "efficientnet_lite0_early"
    size = 224

    def __init__(self, weights: str | Path | None = None, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one that the set-up makes.
            threads: Of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model.
        """
        self._session = _open(weights, models.EFFICIENTNET_LITE0_EARLY, self.id, threads)

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector of an image H x W."""
        return _latent(self._session, _early_image(grey))


class EfficientNetLite0Grid:
    """The statistics of `EfficientNetLite0Early` in each of 4 x 7 cells of the frame.

    Cells go row by row; each holds 112 means, then 112 deviations. Pooled over all cells
    they are the early latent; over the cells under a box, that of an object.
    """

    id = "efficientnet_lite0_grid"
    size = 6272

    def __init__(self, weights: str | Path | None = None, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one that the set-up makes.
            threads: Of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model.
        """
        self._session = _open(weights, models.EFFICIENTNET_LITE0_GRID, self.id, threads)

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector of an image H x W."""
        return _latent(self._session, _early_image(grey))


def _early_image(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image at the width that early layers are read at, its height to the nearest multiple of 32."""
    rows, columns = grey.shape
    height = max(1, round(_EARLY_WIDTH * rows / columns / _EARLY_MULTIPLE)) * _EARLY_MULTIPLE
    return np.asarray(cv2.resize(grey, (_EARLY_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _open(weights: str | Path | None, default: str, expected: str, threads: int) -> OnnxSession:
    session = OnnxSession(model_path(weights, default), threads)
    found = session.metadata.get("encoder")
    if found != expected:
        raise ModelError(f"{session.path} holds {found or 'another network'}, not the encoder {expected}.")
    return session


def _latent(session: OnnxSession, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    latent: NDArray[np.float32] = session.run(image)["latent"]
    return latent.reshape(-1)
