"""Turns raw boxes into detections, for all detectors."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Detection

MAX_CANDIDATES = 1000
"""Only the best boxes enter the suppression of overlaps."""
MAX_DETECTIONS = 100


def to_detections(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.intp],
    *,
    names: Sequence[str],
    wanted: Collection[str],
    size: tuple[int, int],
) -> list[Detection]:
    """Make detections of the wanted labels, cut to the image, best score first.

    Args:
        boxes: n x 4: x_min, y_min, x_max, y_max in pixels.
        scores: One per box.
        classes: One index into ``names`` per box.
        names: Label of each class.
        wanted: Labels to keep; empty for all.
        size: Width and height of the image in pixels.
    """
    limits = np.array(size * 2, np.float32)
    clipped = np.clip(boxes, 0, limits)
    found = []
    for index in np.argsort(-scores, kind="stable"):
        label = names[classes[index]]
        x_min, y_min, x_max, y_max = (float(v) for v in clipped[index])
        if (wanted and label not in wanted) or x_max <= x_min or y_max <= y_min:
            continue
        found.append(Detection(label, float(scores[index]), (x_min, y_min, x_max, y_max)))
        if len(found) == MAX_DETECTIONS:
            break
    return found


def suppress_overlaps(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.intp],
    max_iou: float,
) -> NDArray[np.intp]:
    """Indices of the boxes that no better box of the same class covers.

    Args:
        boxes: n x 4: x_min, y_min, x_max, y_max.
        scores: One per box.
        classes: One per box.
        max_iou: Intersection over union above which the weaker box is dropped.
    """
    best = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    sizes = boxes[best]
    sizes[:, 2:] -= sizes[:, :2]
    # Every class is moved to a place of its own, so that boxes of two classes never overlap. OpenCV's
    # NMSBoxesBatched does the same, but Ubuntu 24.04's OpenCV does not have it yet.
    span = float(np.abs(boxes).max()) + 1.0 if len(boxes) else 0.0
    sizes[:, 0] += classes[best].astype(np.float32) * 2 * span
    kept = cv2.dnn.NMSBoxes(sizes.tolist(), scores[best].tolist(), 0.0, max_iou)
    return best[np.asarray(kept, dtype=np.intp).reshape(-1)]
