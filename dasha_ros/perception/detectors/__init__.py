"""Detectors find labelled boxes in a grey image; here they are made by name."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.labels import unfit_label
from dasha_ros.perception.models.weights import check_onnx, check_torch, check_ultralytics
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


@runtime_checkable
class OpenVocabulary(Protocol):
    """A detector that can be told in words what to look for, again and again."""

    @property
    def takes_words(self) -> bool:
        """Whether it can with the model that it has."""
        ...

    def look_for(self, words: Sequence[str]) -> None:
        """Look for these words, and for nothing else, from the next image on.

        May be called while another thread is in `Detector.detect`.

        Raises:
            ModelError: The words can't be read; what it looked for before stays.
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
    ("labels", "detect"),
    {
        "yolov3_tiny": check_onnx,
        "nanodet": check_onnx,
        "centernet": check_onnx,
        "ultralytics": check_ultralytics,
        "faster_rcnn": check_torch,
        "retinanet": check_torch,
    },
)


_ROUNDED = 1e-3
"""How far a score may be beyond 0..1: networks of half precision round that much."""

OPEN_VOCABULARY = "ultralytics"
"""The detector that can be told in words what to look for."""


def create_detector(name: str, **options: Any) -> Detector:
    """Make a detector by name; see `Registry.create`.

    Raises:
        UnknownModelError: The name is unknown.
        ModelError: The model can't be loaded, or its labels are no texts.
    """
    return with_labels(DETECTORS.create(name, **options))


def with_labels(detector: Detector) -> Detector:
    """Return a detector whose labels can be published and asked for.

    A message with another label would end the whole process, not only raise an error.

    Raises:
        ModelError: A label is no text, is empty, or can't be sent.
    """
    labels = getattr(detector, "labels", None)
    if not isinstance(labels, Collection | np.ndarray) or isinstance(labels, str | bytes | Mapping):
        raise ModelError(
            f"The detector {_name(detector)}: its labels are {labels!r:.60}, not a tuple of texts."
        )
    for label in labels:
        if why := unfit_label(label):
            raise ModelError(
                f"The detector {_name(detector)}: its label {label!r:.60} {why}; each class needs a name in "
                "words, such as 'cup'."
            )
    return detector


def checked_detections(detector: Detector, found: Any) -> list[Detection]:
    """Return what a detector found, best score first, if it can be published.

    Numbers may be of any library: scores and boxes of the result are Python's own. A score may be beyond 0..1
    by what rounding does.

    Raises:
        ModelError: It is no list of `Detection`, or one of them has something of another type in it, or
            numbers that are no score or no box.
    """
    checked = []
    if not isinstance(found, Iterable) or isinstance(found, str | Mapping):
        raise ModelError(f"The detector {_name(detector)} returned {found!r:.60}, not a list of Detection.")
    for each in found:
        if not isinstance(each, Detection):
            raise ModelError(f"The detector {_name(detector)} returned {each!r:.60}, which is no Detection.")
        if why := unfit_label(each.label):
            raise ModelError(
                f"The detector {_name(detector)} found something whose label {each.label!r:.60} {why}."
            )
        score, box = _numbers((each.score,), 1), _numbers(each.box, 4)
        if score is None or box is None:
            raise ModelError(
                f"The detector {_name(detector)} found {each.label!r:.60} with the score {each.score!r:.60} "
                f"and the box {each.box!r:.120}: one number and four are needed."
            )
        if why := _no_score(score[0]):
            raise ModelError(f"The detector {_name(detector)} found {each.label!r:.60} with {why}.")
        x0, y0, x1, y1 = box
        checked.append(replace(each, score=min(max(score[0], 0.0), 1.0), box=(x0, y0, x1, y1)))
    check_boxes(detector, checked)
    return sorted(checked, key=lambda each: -each.score)


def check_boxes(detector: Detector, found: Iterable[Detection]) -> None:
    """Refuse boxes that are none.

    Raises:
        ModelError: One is.
    """
    for each in found:
        if why := _no_box(each.box):
            raise ModelError(f"The detector {_name(detector)} found {each.label!r:.60} with {why}.")


def _no_score(score: float) -> str:
    if -_ROUNDED <= score <= 1.0 + _ROUNDED:
        return ""
    return f"the score {score:g}: a score is a number from 0 to 1"


def _no_box(box: Sequence[float]) -> str:
    x0, y0, x1, y1 = box
    # A box without an area is one: it may have been cut at the edge of the picture.
    if x0 <= x1 and y0 <= y1 and all(map(math.isfinite, box)):
        return ""
    return (
        f"the box {x0:g}, {y0:g}, {x1:g}, {y1:g}: a box is x_min, y_min, x_max and y_max in pixels of the "
        "image, with x_min <= x_max and y_min <= y_max"
    )


def _numbers(values: Any, count: int) -> list[float] | None:
    """So many numbers of any library as Python's own; ``None``: they are something else."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        return None
    try:
        values = list(values)
        if any(isinstance(value, str | bytes) for value in values):
            return None
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count else None


def _takes_no_words(name: str) -> str:
    return (
        f"The detector {name} knows its own classes only, so perception's detector_classes must be empty; "
        f"the detector {OPEN_VOCABULARY} takes words, with a YOLO-World model."
    )


def told(detector: Detector, name: str, words: Sequence[str]) -> Detector:
    """Tell a detector of your own what to look for.

    Raises:
        ModelError: It takes no words, or can't read these.
    """
    if not isinstance(detector, OpenVocabulary) or not detector.takes_words:
        raise ModelError(_takes_no_words(name))
    detector.look_for(words)
    return with_labels(detector)


def _name(detector: Detector) -> str:
    return str(getattr(detector, "id", type(detector).__name__))


def check_detector(name: str, weights: str | Path | None = None, classes: Sequence[str] = ()) -> None:
    """Refuse what no detector can be made of, without loading one.

    Args:
        name: As `create_detector` takes it.
        weights: Its weights file; empty: its own.
        classes: What it shall look for, in words; empty: what it knows. A class of your own is asked only
            when it is made.

    Raises:
        UnknownModelError: The name is unknown.
        ModelError: The detector takes no words, or the weights file does not exist or can't be one.
    """
    if classes and name != OPEN_VOCABULARY and ":" not in name:
        raise ModelError(_takes_no_words(name))
    DETECTORS.check(name, weights)
