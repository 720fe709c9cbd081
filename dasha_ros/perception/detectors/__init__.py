"""Detectors find labelled boxes in a grey image; here they are made by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Detection
from dasha_ros.perception.registry import Registry


class Detector(Protocol):
    """Finds objects in an image."""

    @property
    def id(self) -> str:
        """Name of the network."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that it can find, with COCO's names where they exist."""
        ...

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find the objects in an image.

        Args:
            grey: H x W, 0..255.
            min_score: Weaker detections are dropped.
            labels: Labels to look for; empty for all.

        Returns:
            Detections, best score first; boxes in pixels of ``grey``.
        """
        ...


DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "yolov3_tiny": f"{__name__}.yolov3_tiny:YoloV3Tiny",
        "nanodet": f"{__name__}.nanodet:NanoDet",
        "centernet": f"{__name__}.centernet:CenterNet",
        "ultralytics": f"{__name__}.ultralytics:UltralyticsDetector",
        "faster_rcnn": f"{__name__}.torchvision:FasterRCNN",
        "retinanet": f"{__name__}.torchvision:RetinaNet",
    },
)


OPEN_VOCABULARY = "ultralytics"
"""The detector that can be told in words what to look for."""


def create_detector(name: str, **options: Any) -> Detector:
    """Make a detector by name; see `Registry.create`."""
    return DETECTORS.create(name, **options)
