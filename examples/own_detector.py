"""A detector of your own: QR codes, found by OpenCV and surest when they can be read.

PYTHONPATH=examples dasha up --detector own_detector:QrCodes
dasha focus "qr code"
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Detection

READ, SEEN = 0.9, 0.2
"""Scores of a code that can be read, and of one that is only seen: it is out of focus."""


class QrCodes:
    """Implements `Detector`."""

    id = "qr_codes"
    labels = ("qr code",)

    def __init__(self, **options: Any) -> None:
        """Options such as ``weights`` and ``input_size`` are for networks."""
        self._reader = cv2.QRCodeDetector()

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """What is in an image, best score first; boxes in pixels of ``grey``."""
        if labels and "qr code" not in labels:
            return []
        text, corners, _ = self._reader.detectAndDecode(grey)
        score = READ if text else SEEN
        if corners is None or score < min_score:
            return []
        (left, top), (right, bottom) = corners[0].min(axis=0), corners[0].max(axis=0)
        return [Detection("qr code", score, (float(left), float(top), float(right), float(bottom)))]
