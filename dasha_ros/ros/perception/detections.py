"""Detections as ``vision_msgs`` has them, which other packages understand, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import PoseWithCovariance
from std_msgs.msg import Header
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from dasha_ros.perception.labels import canonical
from dasha_ros.perception.percept import Box, Detection


def detections_to_msg(detections: Sequence[Detection], header: Header) -> Detection2DArray:
    """Message of detections: boxes in pixels of the image that ``header`` belongs to, class names as ids."""
    return Detection2DArray(header=header, detections=[_to_msg(found, header) for found in detections])


def _to_msg(found: Detection, header: Header) -> Detection2D:
    x_min, y_min, x_max, y_max = map(float, found.box)
    box = BoundingBox2D(size_x=x_max - x_min, size_y=y_max - y_min)
    box.center.position.x, box.center.position.y = (x_min + x_max) / 2.0, (y_min + y_max) / 2.0
    # The pose is unknown; an orientation of zero length would not be one.
    result = ObjectHypothesisWithPose(pose=PoseWithCovariance())
    result.hypothesis.class_id, result.hypothesis.score = found.label, float(found.score)
    return Detection2D(header=header, bbox=box, results=[result])


def detections_from_msg(message: Any, labels: Sequence[str] = ()) -> tuple[Detection, ...]:
    """Detections of a message, best score first; sharpness is not known.

    The best hypothesis of each detection counts. Around a rotated box goes an upright one.

    Args:
        message: A ``Detection2DArray``.
        labels: Names of the classes, where the detector numbers them: names of class 0, 1, ...
    """
    found = []
    for detection in message.detections:
        best = max((r.hypothesis for r in detection.results), key=lambda h: h.score, default=None)
        if best is not None:
            label = canonical(_name(best.class_id, labels))
            found.append(Detection(label, min(1.0, max(0.0, best.score)), _upright(detection.bbox)))
    return tuple(sorted(found, key=lambda d: -d.score))


def _name(class_id: str, labels: Sequence[str]) -> str:
    number = class_id.strip()
    if labels and number.isascii() and number.isdigit() and int(number[:9]) < len(labels):
        return labels[int(number)]
    return class_id


def _upright(box: Any) -> Box:
    cos, sin = abs(math.cos(box.center.theta)), abs(math.sin(box.center.theta))
    width, height = abs(box.size_x), abs(box.size_y)
    half_x, half_y = (width * cos + height * sin) / 2.0, (width * sin + height * cos) / 2.0
    x, y = box.center.position.x, box.center.position.y
    return (x - half_x, y - half_y, x + half_x, y + half_y)
