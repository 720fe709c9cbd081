"""Uses any detector of the package ultralytics; by default YOLOv5, as in the paper.

The package and its weights are under AGPL-3.0 (or a commercial
licence), so it is never a dependency and only imported if a user asks for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.errors import first_line
from dasha_ros.files.naming import expanded
from dasha_ros.perception.detectors.boxes import MAX_DETECTIONS, to_detections
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.labels import canonical
from dasha_ros.perception.models.files import ModelFacts, facts_of, names_of
from dasha_ros.perception.models.onnx import names_do_not_fit, onnx_facts
from dasha_ros.perception.models.weights import RANDOM, check_ultralytics, unavailable
from dasha_ros.perception.percept import Detection
from dasha_ros.system.extras import how_to_install

DEFAULT_WEIGHTS = "yolov5nu.pt"
_UNTRAINED = "yolov5n.yaml"


class UltralyticsDetector:
    """Finds the objects that the model file was trained for."""

    def __init__(
        self,
        weights: str | Path | None = None,
        input_size: int = 640,
        device: str = "cpu",
        classes: Sequence[str] = (),
    ) -> None:
        """Load the model.

        Args:
            weights: A model file, or a published name, which ultralytics downloads once; ``random`` for an
                untrained YOLOv5n; by default the published YOLOv5n.
            input_size: Longer side of the network's input [px].
            device: PyTorch's device.
            classes: What to look for, in words, with an open-vocabulary model (YOLO-World); by default what
                the model file was saved with.

        Raises:
            ModelError: The package or the weights are missing, the model is not a detector, or ``classes``
                are given to a model that knows its own only.
        """
        chosen = _UNTRAINED if weights == RANDOM else str(expanded(weights or DEFAULT_WEIGHTS, ModelError))
        is_here = os.path.lexists(chosen)
        if weights:
            # Checked before the import of PyTorch, which takes seconds.
            check_ultralytics(weights)
        facts = _checked(Path(chosen), input_size) if is_here and weights != RANDOM else ModelFacts()
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
        except Exception as error:  # downloads and unpickling raise anything
            said = first_line(error)  # the other lines explain ultralytics' own command
            raise _unreadable(chosen, said) if is_here else unavailable(chosen, said) from error
        self.id, self._chosen, self._turn = f"ultralytics:{Path(chosen).name}", chosen, threading.Lock()
        try:
            # An exported model is opened here, not before.
            task, self.takes_words = str(self._model.task), hasattr(self._model, "set_classes")
            names = () if classes else facts.names or names_of(_names_in(self._model))
        except Exception as error:
            raise _unreadable(chosen, first_line(error)) from error
        _check_task(chosen, task)
        if classes:
            self.look_for(classes)
        else:
            self._name(names)
        self._options = {"imgsz": input_size, "device": device, "verbose": False, "max_det": MAX_DETECTIONS}

    def look_for(self, words: Sequence[str]) -> None:
        """Look for these words from now on; see `OpenVocabulary.look_for`.

        Raises:
            ModelError: The model knows its own classes only, or the network that reads the words is missing.
        """
        if not self.takes_words:
            raise ModelError(
                f"The model {self._chosen}: knows its own classes only, so perception's detector_classes "
                "must be empty: give an open-vocabulary model (YOLO-World, with world in its name)."
            )
        with self._turn:
            _set_classes(self._model, self._chosen, words)
            self._name(words)

    def _name(self, names: Sequence[str]) -> None:
        names = [canonical(name) for name in names]
        count = _classes_of(self._model)
        if count is not None and count != len(names):
            raise ModelError(names_do_not_fit(self._chosen, count, len(names)))
        self._names, self.labels = names, tuple(names)

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find the objects in an image; see `Detector.detect`."""
        image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        with self._turn:
            return self._found(image, min_score, labels)

    def _found(self, image: NDArray[np.uint8], min_score: float, labels: Collection[str]) -> list[Detection]:
        try:
            found = self._model.predict(image, conf=min_score, **self._options)[0].boxes
        except Exception as error:  # a runtime may raise anything
            raise _unreadable(self._chosen, first_line(error)) from error
        boxes = found.xyxy.cpu().numpy().astype(np.float32).reshape(-1, 4)
        scores = found.conf.cpu().numpy().astype(np.float32)
        classes = found.cls.cpu().numpy().astype(np.intp)
        if classes.size and classes.max() >= len(self._names):
            raise ModelError(names_do_not_fit(self._chosen, int(classes.max()) + 1, len(self._names)))
        height, width = image.shape[:2]
        return to_detections(boxes, scores, classes, names=self._names, wanted=labels, size=(width, height))


def _set_classes(model: Any, chosen: str, words: Sequence[str]) -> None:
    try:
        model.set_classes(list(words))
    except Exception as error:  # the text network is downloaded and unpickled, and may raise anything
        raise ModelError(
            f"The model {chosen}: can't read the words {', '.join(words)} ({first_line(error)}). That "
            "needs the network CLIP and its package, once: on a machine with internet run "
            "YOLOWorld(...).set_classes([...]) and .save(FILE), give FILE as the weights, and leave "
            "detector_classes empty."
        ) from error


def _checked(path: Path, input_size: int) -> ModelFacts:
    """Read the description of a model file, and check that it fits."""
    facts = onnx_facts(path) if path.suffix.lower() == ".onnx" else facts_of(path)
    _check_task(str(path), facts.task or "detect")
    if facts.size and facts.size != (input_size, input_size):
        height, width = facts.size
        advice = (
            f"set perception's detector_size_px to {width}, or export it with imgsz={input_size}"
            if height == width
            else f"detector_size_px is one number, so export it with imgsz={input_size}"
        )
        raise ModelError(
            f"The model {path}: takes pictures of {width} x {height} pixels, and detector_size_px is "
            f"{input_size}: {advice}."
        )
    return facts


def _check_task(chosen: str, task: str) -> None:
    if task != "detect":
        raise ModelError(
            f"The model {chosen}: is a model for the task {task}, not a detector: give one for detect."
        )


def _names_in(model: Any) -> Any:
    """The names of the classes in a model's file; ``None`` if a PyTorch network has none.

    Ultralytics would make up 999 of them.
    """
    network = getattr(model, "model", None)
    return getattr(network, "names", None) if hasattr(network, "parameters") else model.names


def _classes_of(model: Any) -> int | None:
    """Number of classes of a PyTorch network; ``None`` for other networks."""
    layers = getattr(getattr(model, "model", None), "model", None)
    try:
        return int(layers[-1].nc) if layers is not None else None
    except (AttributeError, IndexError, TypeError, ValueError):
        return None


def _unreadable(chosen: str, why: str) -> ModelError:
    if "not a supported model format" in why:  # ultralytics lists its twenty formats then
        ending = Path(chosen).suffix
        why = f"its name ends in {ending}" if ending else "its name has no ending, such as .pt or .onnx"
    return ModelError(
        f"The model {chosen}: is here, but ultralytics can't use it ({why}). Give a detector that the "
        "installed version of ultralytics trained or exported."
    )
