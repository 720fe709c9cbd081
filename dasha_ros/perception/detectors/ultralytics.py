"""Any model of the package ultralytics, YOLOv5 first, as in the paper.

The package and its weights are under AGPL-3.0 (or a commercial licence of
theirs): it is never a dependency, only imported when a user asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.extras import how_to_install
from dasha_ros.perception.detectors.boxes import MAX_DETECTIONS, to_detections
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.labels import canonical
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.torch_models import RANDOM

DEFAULT_WEIGHTS = "yolov5nu.pt"
_UNTRAINED = "yolov5n.yaml"


class UltralyticsDetector:
    """Finds what the model file was trained for."""

    def __init__(
        self,
        weights: str | Path | None = None,
        input_size: int = 640,
        device: str = "cpu",
    ) -> None:
        """Load the model.

        Args:
            weights: A model file, or a published name, which ultralytics downloads once; ``random`` for
                an untrained YOLOv5n; nothing for YOLOv5n.
            input_size: Longer side of the network's input in pixels.
            device: Of PyTorch.

        Raises:
            ModelError: The package or the weights are missing, or the model is no detector.
        """
        chosen = _UNTRAINED if weights == RANDOM else os.path.expanduser(weights or DEFAULT_WEIGHTS)
        if os.sep in chosen and not os.path.isfile(chosen):
            # Said before PyTorch is imported, which takes seconds.
            raise _unavailable(chosen, "there is no such file")
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # a robot's node must not install packages
        try:
            from ultralytics import YOLO
        except ImportError as error:
            raise ModelError(
                "The detector ultralytics needs the package of that name (AGPL-3.0), which is not "
                f"installed: {how_to_install('torch')}, or choose the embedded yolov3_tiny."
            ) from error
        try:
            self._model: Any = YOLO(chosen, task="detect")
            names = self._model.names
        except Exception as error:  # ultralytics raises whatever its downloads and unpickling raise
            first = (str(error) or repr(error)).splitlines()[0]  # the others say how to use their command
            raise _unavailable(chosen, first) from error
        if self._model.task != "detect":
            raise ModelError(f"{chosen} is a model for the task {self._model.task}, not a detector.")
        self.id = f"ultralytics:{Path(chosen).name}"
        self._names = [canonical(names[index]) for index in range(len(names))]
        self.labels = tuple(self._names)
        self._options = {"imgsz": input_size, "device": device, "verbose": False, "max_det": MAX_DETECTIONS}

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """What is in an image; see `Detector.detect`."""
        image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        found = self._model.predict(image, conf=min_score, **self._options)[0].boxes
        boxes = found.xyxy.cpu().numpy().astype(np.float32).reshape(-1, 4)
        scores = found.conf.cpu().numpy().astype(np.float32)
        classes = found.cls.cpu().numpy().astype(np.intp)
        height, width = grey.shape
        return to_detections(boxes, scores, classes, names=self._names, wanted=labels, size=(width, height))


def _unavailable(chosen: str, why: str) -> ModelError:
    return ModelError(
        f"Cannot get the model {chosen} ({why}). On a machine with internet download it from "
        "https://github.com/ultralytics/assets/releases, then give its path as the weights."
    )
