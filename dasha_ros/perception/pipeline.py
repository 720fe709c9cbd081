"""Turns a frame into a `Percept`."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.perception.annotate import annotate, to_jpeg
from dasha_ros.perception.cores import leave_cores_to_networks
from dasha_ros.perception.detectors import (
    OPEN_VOCABULARY,
    Detector,
    check_boxes,
    check_detector,
    checked_detections,
    create_detector,
    told,
    with_labels,
)
from dasha_ros.perception.encoders import create_encoder
from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.errors import ModelError, PerceptionError
from dasha_ros.perception.image import red_and_blue, working_image
from dasha_ros.perception.labels import canonical
from dasha_ros.perception.models.session import model_path
from dasha_ros.perception.own_class import told_in_a_line
from dasha_ros.perception.percept import NO_COLOUR_DETAIL, Box, Detection, Percept
from dasha_ros.perception.quality.brisque import Brisque, BrisqueModel
from dasha_ros.perception.quality.detail_map import detail_map
from dasha_ros.perception.quality.histogram import EDGES, histogram
from dasha_ros.perception.quality.light import light_of
from dasha_ros.perception.quality.sharpness import Sharpness


class Perception:
    """Reads from a frame everything that the agents need.

    The frame is converted to grey and shrunk once; all stages read that image. The stages run one after the
    other, each network on two threads. Running encoder and detector in parallel was 2 ms faster at the
    median on two idle cores, but slower in the worst frames as soon as another process needed a core, as in
    the graph. OpenCV gets one thread in the whole process; see `perception.cores`.
    """

    def __init__(
        self,
        encoder: Encoder | str = "efficientnet_lite0",
        detector: Detector | str = "yolov3_tiny",
        *,
        encoder_weights: str | Path | None = None,
        detector_weights: str | Path | None = None,
        detector_size: int = 416,
        detector_classes: Sequence[str] = (),
        brisque_model: str | Path | None = None,
        width: int = WORKING_WIDTH_PX,
        min_score: float = 0.1,
        labels: Collection[str] = (),
        colour_detail: bool = False,
    ) -> None:
        """Load the models.

        Args:
            encoder: An encoder, or its name in `ENCODERS`.
            detector: A detector, or its name in `DETECTORS`.
            encoder_weights: Weights file of an encoder by name; by default its own.
            detector_weights: Weights file of a detector by name; by default its own.
            detector_size: Input size of a detector by name [px].
            detector_classes: What a detector by name shall look for, if it takes any words.
            brisque_model: The BRISQUE model; by default the one that the set-up makes.
            width: Width that frames are shrunk to [px]. BRISQUE and sharpness depend on it.
            min_score: Weaker detections are dropped; may be changed at any time.
            labels: Labels to look for; empty for everything that the detector knows.
            colour_detail: Whether detail is also read from red and from blue, where the encoding has them;
                may be changed at any time.

        Raises:
            ModelError: A model is missing, corrupt or the wrong one; the message says what to do.
            UnknownModelError: No encoder or detector has this name.
        """
        leave_cores_to_networks()
        self.encoder: Encoder = (
            create_encoder(encoder, weights=encoder_weights) if isinstance(encoder, str) else encoder
        )
        self.detector: Detector = (
            _made(detector, detector_weights, detector_size, detector_classes)
            if isinstance(detector, str)
            else with_labels(detector)
        )
        self._brisque = Brisque(BrisqueModel.load(model_path(brisque_model, models.BRISQUE)))
        self._width = width
        self.min_score = min_score
        self.colour_detail = colour_detail
        self.labels = frozenset(canonical(label) for label in labels)
        self._shown: tuple[CaptureInfo, NDArray[np.uint8]] | None = None

    def perceive(
        self,
        image: NDArray[Any],
        encoding: str,
        capture: CaptureInfo,
        lens: LensState,
        found_elsewhere: Sequence[Detection] | None = None,
        *,
        meter: Box | None = None,
    ) -> Percept:
        """Read one frame.

        Args:
            image: H x W or H x W x 3, as the encoding says.
            encoding: A key of `perception.image.ENCODINGS`.
            capture: The exposure that made the frame.
            lens: The lens position that made it.
            found_elsewhere: What a detector elsewhere found in this frame, in pixels of ``image``, instead of
                what this object's detector finds.
            meter: A part of the picture, as fractions of its width and height. If it is given, the light
                there and inside the box of every detection is measured.

        Returns:
            The percept; boxes are in pixels of ``image``.

        Raises:
            ImageError: The image is not what the encoding says.
            ModelError: Encoder or detector failed, or the detector returned something else than detections.
        """
        stage_ms: dict[str, float] = {}
        with _timed("total", stage_ms):
            with _timed("resize", stage_ms):
                grey = working_image(image, encoding, self._width)
            # Models get copies: one of somebody's own may draw in its image, and the others read it, too.
            with _timed("encoder", stage_ms), _named("encoder", self.encoder):
                latent = self.encoder.encode(grey.copy())
            with _timed("detector", stage_ms):
                with _named("detector", self.detector):
                    found_here = self.detector.detect(grey.copy(), self.min_score, self.labels)
                    # Inside, because it may yield its detections one by one.
                    found = checked_detections(self.detector, found_here)
                height, width = image.shape[:2]
                scale = (width / grey.shape[1], height / grey.shape[0])
                if found_elsewhere is not None:
                    counted = [each for each in found_elsewhere if self._counts(each)]
                    check_boxes(self.detector, counted)
                    found = [_shrunk(each, scale) for each in counted]
            with _timed("brisque", stage_ms):
                brisque = self._brisque.score(grey)
            with _timed("histogram", stage_ms):
                light = histogram(grey)
            with _timed("detail", stage_ms):
                detail = detail_map(grey)
            colour_detail = NO_COLOUR_DETAIL
            if self.colour_detail:
                with _timed("colour", stage_ms):
                    colours = red_and_blue(image, encoding, self._width)
                    if colours is not None:
                        colour_detail = np.stack([detail_map(colour) for colour in colours])
            with _timed("sharpness", stage_ms):
                sharpness = Sharpness(grey)
                frame_sharpness = sharpness.frame()
                detections = tuple(_in_full_image(d, scale, sharpness) for d in found)
            metered = None
            if meter is not None:
                with _timed("light", stage_ms):
                    size = grey.shape[1], grey.shape[0]
                    metered = light_of(grey, (*_times(meter[:2], size), *_times(meter[2:], size)))
                    detections = tuple(
                        replace(d, light=light_of(grey, f.box))
                        for d, f in zip(detections, found, strict=True)
                    )
        self._shown = capture, grey
        return Percept(
            capture=capture,
            lens=lens,
            width=width,
            height=height,
            encoder=self.encoder.id,
            latent=latent,
            histogram_counts=light.counts,
            histogram_edges=EDGES,
            histogram_peak=light.peak,
            mean_grey=light.mean,
            brisque=brisque,
            sharpness=frame_sharpness,
            detail=detail,
            colour_detail=colour_detail,
            detections=detections,
            stage_ms=stage_ms,
            light=metered,
        )

    def _counts(self, found: Detection) -> bool:
        return found.score >= self.min_score and (not self.labels or found.label in self.labels)

    def warm_up(self, width: int = 2048, height: int = 1088) -> None:
        """Read a grey frame of this size twice, so that the first real frame is as fast as the others."""
        ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
        for _ in range(2):
            self.perceive(
                np.ascontiguousarray(ramp),
                "mono8",
                CaptureInfo(0, 0.0, 0.0, NO_COMMAND, 0),
                LensState(NO_COMMAND, 0.0, 0.0, True, 0),
            )
        self._shown = None

    def annotated_jpeg(self, percept: Percept, quality: int = 80) -> bytes:
        """The frame of the last percept as a JPEG with the detections drawn in.

        Raises:
            ValueError: The percept is not the last one that this object made.
        """
        return to_jpeg(annotate(self.picture(percept), percept), quality)

    def picture(self, percept: Percept) -> NDArray[np.uint8]:
        """The grey image that the last percept was read from, H x W, 0..255.

        Raises:
            ValueError: The percept is not the last one that this object made.
        """
        if self._shown is None or self._shown[0] is not percept.capture:
            raise ValueError("only the picture of the last percept is kept")
        return self._shown[1]


def _in_full_image(found: Detection, scale: tuple[float, float], sharpness: Sharpness) -> Detection:
    x_min, y_min, x_max, y_max = found.box
    box = (x_min * scale[0], y_min * scale[1], x_max * scale[0], y_max * scale[1])
    return replace(found, box=box, sharpness=sharpness.box(found.box))


def _times(place: tuple[float, ...], size: tuple[int, int]) -> tuple[float, float]:
    return place[0] * size[0], place[1] * size[1]


def _shrunk(found: Detection, scale: tuple[float, float]) -> Detection:
    x_min, y_min, x_max, y_max = found.box
    return replace(found, box=(x_min / scale[0], y_min / scale[1], x_max / scale[0], y_max / scale[1]))


def _made(name: str, weights: str | Path | None, size: int, classes: Sequence[str]) -> Detector:
    check_detector(name, weights, classes)
    words = {"classes": classes} if classes and name == OPEN_VOCABULARY else {}
    made = create_detector(name, weights=weights, input_size=size, **words)
    return told(made, name, classes) if classes and not words else made


@contextmanager
def _named(kind: str, model: Encoder | Detector) -> Iterator[None]:
    """Around the work of a model, which may be somebody's own: say whose error it is."""
    try:
        yield
    except PerceptionError:
        raise
    except (Exception, SystemExit) as error:  # It may end like a script, which shall not end the node.
        name = getattr(model, "id", type(model).__name__)
        raise ModelError(f"The {kind} {name} failed with {told_in_a_line(error)}.") from error


@contextmanager
def _timed(stage: str, stage_ms: dict[str, float]) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    stage_ms[stage] = (time.perf_counter() - begin) * 1e3
