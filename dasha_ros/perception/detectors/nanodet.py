"""NanoDet on ONNX Runtime, an optional detector (github RangiLyu/nanodet, Apache-2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.perception.detectors.boxes import suppress_overlaps
from dasha_ros.perception.detectors.fixed_input import FixedInputDetector, Found

_STRIDES = (8, 16, 32)
"""Sides of a cell of each output [px of the input]."""
_MAX_IOU = 0.6
"""The default of NanoDet."""


class NanoDet(FixedInputDetector):
    """Finds the 80 classes of COCO.

    Each cell says for each side of the box how likely it is 0, 1, .. 10 cells away (generalised focal loss,
    Li et al., 2020); the mean of that is the box.
    """

    id, asset = "nanodet", models.NANODET
    scores: ClassVar = {f"scores_{stride}": 2 for stride in _STRIDES}

    def _found(self, outputs: Mapping[str, NDArray[np.float32]], min_score: float) -> Found:
        """See `FixedInputDetector`."""
        parts = [
            _decode(outputs[f"scores_{stride}"][0], outputs[f"boxes_{stride}"][0], stride, min_score)
            for stride in _STRIDES
        ]
        boxes, scores, classes = (np.concatenate(part) for part in zip(*parts, strict=True))
        kept = suppress_overlaps(boxes, scores, classes, _MAX_IOU)
        return boxes[kept], scores[kept], classes[kept]


def _decode(scores: NDArray[np.float32], sides: NDArray[np.float32], stride: int, min_score: float) -> Found:
    """Boxes [px of the input], scores and classes of the cells of one output that reach ``min_score``.

    Args:
        scores: Cells x classes, 0..1; the cells row by row of a square.
        sides: Cells x (4 x bins): logits of the distances to left, top, right, bottom, in cells.
        stride: Side of a cell [px of the input].
        min_score: Weaker ones are dropped.
    """
    cells, classes = np.nonzero(scores >= min_score)
    bins = sides[cells].reshape(len(cells), 4, sides.shape[1] // 4)
    likely = np.exp(bins - bins.max(axis=2, keepdims=True, initial=-np.inf))
    likely /= likely.sum(axis=2, keepdims=True)
    away = likely @ np.arange(bins.shape[2], dtype=np.float32)
    row, column = np.divmod(cells, round(len(scores) ** 0.5))
    centre = np.stack([column, row], axis=1) + 0.5
    boxes = np.concatenate([centre - away[:, :2], centre + away[:, 2:]], axis=1) * stride
    return boxes.astype(np.float32), scores[cells, classes], classes
