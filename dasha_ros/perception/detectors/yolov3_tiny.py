"""YOLOv3-tiny on ONNX Runtime, the embedded detector (Redmon and Farhadi, "YOLOv3", 2018)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.perception.detectors.boxes import suppress_overlaps, to_detections
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.session import OnnxSession, model_path
from dasha_ros.perception.percept import Detection

_MULTIPLE = 32
"""Sides of the input must be multiples of the coarsest cell [px]."""
_PADDING = 128
_MAX_IOU = 0.45
"""The default of darknet."""


@dataclass(frozen=True, slots=True)
class _Head:
    output: str
    stride: int
    anchors: NDArray[np.float32]
    """n x 2: width and height in input pixels."""


class YoloV3Tiny:
    """Finds the 80 classes of COCO.

    The longer side of the image is scaled to the input size. The shorter side is padded with grey only to a
    multiple of 32, so that a wide frame costs half as much as a square.
    """

    id = "yolov3_tiny"

    def __init__(self, weights: str | Path | None = None, input_size: int = 416, threads: int = 2) -> None:
        """Load the model.

        Args:
            weights: An ``.onnx`` file; by default the one that the set-up makes.
            input_size: Longer side of the network's input [px], a multiple of 32: 320, 416, 640.
            threads: Threads of each run.

        Raises:
            ModelError: The file is missing, corrupt or another model, or the size is invalid.
        """
        if input_size < _MULTIPLE or input_size % _MULTIPLE:
            raise ModelError(
                f"The detector's input size must be a multiple of {_MULTIPLE}, not {input_size}."
            )
        self._session = OnnxSession(model_path(weights, models.YOLOV3_TINY), threads)
        self._size = input_size
        try:
            metadata = self._session.metadata
            self._heads = [
                _Head(head["output"], head["stride"], np.array(head["anchors"], np.float32))
                for head in json.loads(metadata["heads"])
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self._session.path} is not a YOLO model: it names no heads.") from error
        if not self._heads:
            raise ModelError(f"{self._session.path} is not a YOLO model: its list of heads is empty.")
        self.labels: tuple[str, ...] = self._session.labels
        for head in self._heads:
            count = len(head.anchors)
            self._session.check_output(head.output, 1, per_label=count, extra=5 * count)

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find the objects in an image; see `Detector.detect`."""
        image, scale = self._letterbox(grey)
        outputs = self._session.run(image)
        parts = [self._decode(outputs[head.output], head, min_score) for head in self._heads]
        boxes, scores, classes = (np.concatenate(part) for part in zip(*parts, strict=True))
        kept = suppress_overlaps(boxes, scores, classes, _MAX_IOU)
        height, width = grey.shape
        return to_detections(
            boxes[kept] / scale,
            scores[kept],
            classes[kept],
            names=self.labels,
            wanted=labels,
            size=(width, height),
        )

    def _letterbox(self, grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
        """Scale the image into the top left of the network's input; returns input and scale."""
        rows, columns = grey.shape
        scale = self._size / max(rows, columns)
        height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        padded = np.full((_round_up(height), _round_up(width)), _PADDING, np.uint8)
        padded[:height, :width] = cv2.resize(grey, (width, height), interpolation=interpolation)
        return padded, scale

    def _decode(
        self, raw: NDArray[np.float32], head: _Head, min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """Boxes [px of the input], scores and classes of the cells of one head that reach ``min_score``."""
        count = len(head.anchors)
        cells = raw.reshape(count, 5 + len(self.labels), *raw.shape[2:])
        objectness = _sigmoid(cells[:, 4])
        anchor, row, column = np.nonzero(objectness >= min_score)
        candidates = cells[anchor, :, row, column]
        scores = objectness[anchor, row, column, None] * _sigmoid(candidates[:, 5:])
        index, classes = np.nonzero(scores >= min_score)
        centre = (_sigmoid(candidates[:, :2]) + np.stack([column, row], axis=1)) * head.stride
        half = np.exp(candidates[:, 2:4]) * head.anchors[anchor] / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
        return boxes[index], scores[index, classes], classes


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float32)
