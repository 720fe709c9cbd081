"""From percepts to the inputs of A^L's encoders: the part that is fitted before reinforcement learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.belief import BeliefModel
from dasha_ros.estimation.colour_sign import colour_ratio
from dasha_ros.estimation.detail_reading import core_cells, object_detail
from dasha_ros.estimation.detectability import Detectability
from dasha_ros.estimation.profile import Profile
from dasha_ros.estimation.readout import GRID_ENCODER, Readout, features
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.encoders.joint import part, part_of_size
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.ablations import BeliefWithoutDetection, BeliefWithoutPosition
from dasha_ros.policies.learned.belief_encoder import BeliefEncoder
from dasha_ros.policies.learned.focus_encoder import FocusEncoder, FocusInputs, LatentFocusEncoder
from dasha_ros.policies.learned.plan_encoder import PlanEncoder
from dasha_ros.policies.learned.policy_content import (
    BELIEF,
    LATENT,
    WITH_COLOUR,
    WITH_PLAN,
    WITHOUT_DETECTION,
    WITHOUT_POSITION,
)
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.reached import seen

Arrays = Mapping[str, NDArray[Any]]
Array = NDArray[np.float64]
Box = NDArray[np.float64]
_NOWHERE: Box = np.full(4, np.nan)
_ENCODERS: dict[str, type[BeliefEncoder]] = {
    BELIEF: BeliefEncoder,
    WITH_PLAN: PlanEncoder,
    WITH_COLOUR: PlanEncoder,
    WITHOUT_POSITION: BeliefWithoutPosition,
    WITHOUT_DETECTION: BeliefWithoutDetection,
}


class FocusFeatureExtractor(Protocol):
    """Reads percepts for one kind of encoder."""

    @property
    def kind(self) -> str:
        """Names the class in files."""
        ...

    @property
    def encoder(self) -> str:
        """Id of the encoder whose latents are read."""
        ...

    def observation_encoder(self, lens: LensModel, batch: int, *, moving: bool = False) -> FocusEncoder:
        """A new encoder for a batch of episodes.

        Args:
            lens: Moves as the actions say.
            batch: Number of episodes.
            moving: Whether the object may move in depth; training does without.
        """
        ...

    def read(self, percept: Percept, task: FocusTask, place: Box) -> FocusInputs:
        """A batch of one picture; `FocusReader` remembers the place.

        Args:
            percept: The picture.
            task: Which objects are wanted.
            place: Where a wanted object was last detected, as fractions of the frame, shape (4,); NaN where
                none was.

        Raises:
            ModelError: The percept holds no latent of the encoder.
        """
        ...

    def detail_at(self, details: Sequence[NDArray[np.uint8]], box: Box) -> Array:
        """What is read from a place in k maps of detail, shape (1, k, m).

        Args:
            details: Maps of detail of percepts; see `detail_reading.object_detail`.
            box: The place, as fractions of the frame, shape (4,).
        """
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted arrays by name, for a file."""
        ...


@dataclass(frozen=True)
class LatentFeatureExtractor:
    """The latent itself, of one frame (paper, Eq. 5)."""

    encoder: str
    latent_size: int
    kind: str = LATENT

    def observation_encoder(self, lens: LensModel, batch: int, *, moving: bool = False) -> LatentFocusEncoder:
        """See `FocusFeatureExtractor`."""
        return LatentFocusEncoder(lens, batch, self.latent_size)

    def read(self, percept: Percept, task: FocusTask, place: Box) -> FocusInputs:
        """See `FocusFeatureExtractor`."""
        latent = part_of_size(percept.latent, percept.encoder, self.encoder, self.latent_size)
        return _picture(percept, task, latent=latent[None].astype(np.float32, copy=False))

    def detail_at(self, details: Sequence[NDArray[np.uint8]], box: Box) -> Array:
        """See `FocusFeatureExtractor`: nothing is read."""
        return np.zeros((1, len(details), 0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `FocusFeatureExtractor`."""
        return {"latent_size": np.array(self.latent_size)}

    @classmethod
    def from_arrays(cls, encoder: str, arrays: Arrays) -> LatentFeatureExtractor:
        """The inverse of `arrays`."""
        return cls(encoder, int(arrays["latent_size"]))


@dataclass(frozen=True)
class BeliefFeatureExtractor:
    """Numbers read from the early latent of the frame and of the best detection's box, and from the object's
    detail."""

    frame: Readout
    box: Readout
    detail: Readout
    """Reads the object's own detail."""
    model: BeliefModel
    kind: str = BELIEF
    """`BELIEF`, `WITH_PLAN`, `WITH_COLOUR`, or the kind of an ablation."""

    @property
    def encoder(self) -> str:
        """Id of the encoder whose latents are read."""
        return GRID_ENCODER

    def observation_encoder(self, lens: LensModel, batch: int, *, moving: bool = False) -> BeliefEncoder:
        """See `FocusFeatureExtractor`."""
        return _ENCODERS[self.kind](self.model, lens, batch, moving=moving)

    def read(self, percept: Percept, task: FocusTask, place: Box) -> FocusInputs:
        """See `FocusFeatureExtractor`."""
        latent = part(percept.latent, percept.encoder, self.encoder)[None]

        def blur(box: Box) -> Array:
            return self.detail_at((percept.detail,), box)[:, 0]

        box, _ = best_box(percept, task)
        at = box if seen(percept, task) or np.isnan(place[0]) else place
        return _picture(
            percept,
            task,
            frame=self.frame(features(latent)).astype(np.float64),
            box=self.box(features(latent, box[None])).astype(np.float64),
            detail=blur(box),
            place=blur(place),
            cells=np.array([core_cells(at)]),
            colour=colour_ratio(percept.colour_detail, at)[None] if self.model.colour else None,
        )

    def detail_at(self, details: Sequence[NDArray[np.uint8]], box: Box) -> Array:
        """See `FocusFeatureExtractor`."""
        read = self.detail(np.stack([object_detail(each, box) for each in details]))
        return np.asarray(read[None], np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `FocusFeatureExtractor`."""
        parts: dict[str, Any] = {
            "frame": self.frame,
            "box": self.box,
            "detail": self.detail,
            "frame_profile": self.model.frame,
            "box_profile": self.model.box,
            "detail_profile": self.model.detail,
            "detection": self.model.detection,
            **({"colour_profile": self.model.colour} if self.model.colour else {}),
        }
        return {f"{name}.{f.name}": getattr(p, f.name) for name, p in parts.items() for f in fields(p)}

    @classmethod
    def from_arrays(cls, encoder: str, arrays: Arrays, kind: str = BELIEF) -> BeliefFeatureExtractor:
        """The inverse of `arrays`."""

        def of(part: Any, name: str) -> Any:
            return part(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(part)})

        model = BeliefModel(
            of(Profile, "frame_profile"),
            of(Profile, "box_profile"),
            of(Profile, "detail_profile"),
            of(Detectability, "detection"),
            of(Profile, "colour_profile") if kind == WITH_COLOUR else None,
        )
        return cls(of(Readout, "frame"), of(Readout, "box"), of(Readout, "detail"), model, kind)


def focus_extractor(kind: str, encoder: str, arrays: Arrays) -> FocusFeatureExtractor:
    """The extractor of a file.

    Raises:
        ValueError: No such kind, or an array is missing.
    """
    kinds: dict[str, Callable[[str, Arrays], FocusFeatureExtractor]] = {
        LATENT: LatentFeatureExtractor.from_arrays,
        **{kind: partial(BeliefFeatureExtractor.from_arrays, kind=kind) for kind in _ENCODERS},
    }
    if kind not in kinds:
        raise ValueError(f"there is no focus extractor {kind!r}")
    try:
        extractor = kinds[kind](encoder, arrays)
    except KeyError as error:
        raise ValueError(f"extractor {kind!r}: {error} is missing") from error
    return extractor


class ObjectPlace:
    """Where the object of an episode is, also in pictures in which the detector does not find it."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.last: Box = _NOWHERE
        """Where a wanted object was last detected, as fractions of the frame, shape (4,); NaN before."""
        self._best_score = 0.0

    @property
    def is_known(self) -> bool:
        """Whether a wanted object was detected."""
        return bool(np.isfinite(self.last).all())

    def look(self, percept: Percept, task: FocusTask) -> tuple[Box, float]:
        """The object's box in the next picture, and the score of the detection that told of it."""
        box, score = best_box(percept, task)
        self._best_score = max(self._best_score, score)
        if seen(percept, task):
            self.last = box
        elif self.is_known:
            return self.last, self._best_score
        return box, score


class FocusReader:
    """Reads the pictures of one episode after the other, and remembers where the object was."""

    def __init__(self, extractor: FocusFeatureExtractor) -> None:
        """Nothing seen yet."""
        self._extractor = extractor
        self.reset()

    def reset(self) -> None:
        """Begin a new episode."""
        self._place = ObjectPlace()
        self._unread: list[NDArray[np.uint8]] = []
        """Maps of detail of the pictures before the first detection."""

    def read(self, percept: Percept, task: FocusTask) -> FocusInputs:
        """The next picture of the episode.

        Raises:
            ModelError: The percept holds no latent of the encoder.
        """
        pictures = self._extractor.read(percept, task, self._place.last)
        waited = not self._place.is_known
        self._place.look(percept, task)
        if self._place.is_known and self._unread:
            again = self._extractor.detail_at(self._unread, self._place.last)
            pictures, self._unread = replace(pictures, again=again), []
        elif waited and not self._place.is_known:
            self._unread.append(percept.detail)
        return pictures


def best_box(percept: Percept, task: FocusTask) -> tuple[Box, float]:
    """The box of the best detection of a wanted object as fractions of the frame, shape (4,), and its score.

    NaN and 0 where there is none.
    """
    candidates = percept.of(task.labels)
    if not candidates:
        return _NOWHERE, 0.0
    left, top, right, bottom = candidates[0].box
    width, height = float(percept.width), float(percept.height)
    return np.array([left / width, top / height, right / width, bottom / height]), candidates[0].score


def _picture(
    percept: Percept, task: FocusTask, *, colour: Array | None = None, **read: NDArray[Any]
) -> FocusInputs:
    candidates = percept.of(task.labels)
    nothing: dict[str, NDArray[Any]] = {
        "latent": np.zeros((1, 0), np.float32),
        "frame": np.zeros((1, 0)),
        "box": np.zeros((1, 0)),
        "detail": np.zeros((1, 0)),
        "place": np.zeros((1, 0)),
        "cells": np.full(1, np.nan),
    }
    return FocusInputs(
        position=np.array([percept.lens.commanded_position]),
        score=np.array([candidates[0].score if candidates else 0.0]),
        detected=np.array([bool(seen(percept, task))]),
        brisque=np.array([percept.brisque]),
        colour=colour,
        given=np.array([task.selection.itself]),
        peak=np.array([percept.histogram_peak]),
        taken_s=np.array([percept.capture.stamp_ns / 1e9]),
        **{**nothing, **read},
    )
