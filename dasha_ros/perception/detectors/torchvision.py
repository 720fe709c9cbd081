"""Faster R-CNN and RetinaNet from torchvision, two of the paper's detectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.detectors.boxes import to_detections
from dasha_ros.perception.labels import canonical
from dasha_ros.perception.models.torch import import_torch, import_torchvision, load_weights
from dasha_ros.perception.percept import Detection

_NOT_LABELS = ("__background__", "N/A")


class TorchvisionDetector(ABC):
    """A detector of torchvision that was trained on COCO."""

    id = ""
    _builder = ""
    _weights = ""

    def __init__(
        self,
        weights: str | Path | None = None,
        input_size: int = 800,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Load the model.

        Args:
            weights: A local file with torchvision's weights, or ``random``; by default ``COCO_V1``, which
                torchvision downloads once.
            input_size: Shorter side that the network scales an image to [px].
            device: PyTorch's device.
            threads: PyTorch's threads, for the whole process; 0 keeps its own choice.

        Raises:
            ModelError: PyTorch or the weights are missing.
        """
        self._torch = import_torch(threads)
        detection = import_torchvision().models.detection
        published = getattr(detection, self._weights).COCO_V1
        names = published.meta["categories"]
        build = getattr(detection, self._builder)
        net = build(
            weights=None,
            weights_backbone=None,
            num_classes=len(names),
            min_size=input_size,
            max_size=2 * input_size,
        )
        load_weights(net, weights, published)
        self._net: Any = net.eval().to(device)
        self._device = device
        self._names = tuple(canonical(name) for name in names)
        self.labels = tuple(canonical(name) for name in names if name not in _NOT_LABELS)

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find the objects in an image; see `Detector.detect`."""
        torch = self._torch
        self._thresholded().score_thresh = min_score
        with torch.inference_mode():
            plane = torch.from_numpy(np.ascontiguousarray(grey)).to(self._device).float() / 255
            found = self._net([plane.expand(3, *plane.shape)])[0]
        boxes, scores, classes = (found[key].cpu().numpy() for key in ("boxes", "scores", "labels"))
        real = np.isin(classes, [i for i, name in enumerate(self._names) if name in self.labels])
        kept = (scores >= min_score) & real
        height, width = grey.shape
        return to_detections(
            boxes[kept], scores[kept], classes[kept], names=self._names, wanted=labels, size=(width, height)
        )

    @abstractmethod
    def _thresholded(self) -> Any:
        """The part of the network that drops weak detections, by default below 0.05."""


class FasterRCNN(TorchvisionDetector):
    """Faster R-CNN with a ResNet-50 FPN (Ren et al., 2015)."""

    id = "faster_rcnn"
    _builder = "fasterrcnn_resnet50_fpn"
    _weights = "FasterRCNN_ResNet50_FPN_Weights"

    def _thresholded(self) -> Any:
        return self._net.roi_heads


class RetinaNet(TorchvisionDetector):
    """RetinaNet with a ResNet-50 FPN (Lin et al., 2017)."""

    id = "retinanet"
    _builder = "retinanet_resnet50_fpn"
    _weights = "RetinaNet_ResNet50_FPN_Weights"

    def _thresholded(self) -> Any:
        return self._net
