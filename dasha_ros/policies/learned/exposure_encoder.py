"""What A^H sees and what it can do, in training, evaluation and on a robot; see `focus_encoder`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.readout import GRID_ENCODER, Readout, features
from dasha_ros.perception.encoders.joint import part
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import ExposureRule
from dasha_ros.policies.reached import GREY_MAX, exposure_sides, shares_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Arrays = Mapping[str, NDArray[Any]]

BINS = 10
FRAMES = 2
"""Number of pictures in an observation of `ReadoutExposureEncoder`."""


@dataclass(frozen=True)
class ExposureInputs:
    """What is read from one picture of each of b episodes."""

    index: NDArray[np.intp]
    """Index of the active exposure in the table, shape (b,)."""
    shares: Array
    """The histogram, "val" of Eq. 6, as shares of the picture, shape (b, 10)."""
    peak: Array
    """P of Eq. 7, grey levels 0..255, shape (b,)."""
    mean_grey: Array
    """Grey levels 0..255, shape (b,)."""
    brisque: Array
    """Shape (b,)."""
    latent: Floats
    """The latent, or numbers read from it, shape (b, n)."""

    def take(self, rows: Rows) -> ExposureInputs:
        """The inputs of some of the episodes."""
        return ExposureInputs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def sides(self, rule: ExposureRule) -> NDArray[np.intp]:
        """Whether each picture is too dark, right or too bright; see `reached.exposure_sides`."""
        return exposure_sides(rule, mean_grey=self.mean_grey, peak=self.peak, shares=self.shares)

    def reached(self, rule: ExposureRule) -> NDArray[np.bool_]:
        """Whether each picture satisfies the rule, shape (b,)."""
        result: NDArray[np.bool_] = self.sides(rule) == 0
        return result


class ExposureEncoder(Protocol):
    """What A^H sees, for a batch of episodes. Its action is an index of the exposure table."""

    @property
    def size(self) -> int:
        """Length of an observation."""
        ...

    def reset(self, rows: Rows, pictures: ExposureInputs) -> None:
        """Begin these episodes with their first pictures."""
        ...

    def see(self, rows: Rows, pictures: ExposureInputs) -> None:
        """Take in the pictures that answer the last commands of these episodes."""
        ...

    def observation(self) -> Floats:
        """Shape (batch, size)."""
        ...


class ExposureFeatureExtractor(Protocol):
    """Reads percepts for one kind of encoder."""

    @property
    def kind(self) -> str:
        """Names the class in files."""
        ...

    @property
    def encoder(self) -> str:
        """Id of the encoder whose latents are read."""
        ...

    def observation_encoder(self, choices: int, batch: int) -> ExposureEncoder:
        """A new encoder for a table of ``choices`` exposures and a batch of episodes."""
        ...

    def read(self, percept: Percept, index: int) -> ExposureInputs:
        """A batch of one picture, made with the exposure of this index.

        Raises:
            ModelError: The percept holds no latent of the encoder.
        """
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted arrays by name, for a file."""
        ...


class LatentExposureEncoder:
    """As in the paper: latent, histogram values and edges of one frame (Eq. 6), each of order one.

    The paper does not say how it scales the histogram. Raw counts of a 2-megapixel image would drown the
    latent, so counts become shares of the image, and edges shares of full scale.
    """

    def __init__(self, batch: int, latent_size: int) -> None:
        self._seen = np.zeros((batch, latent_size + BINS), np.float32)
        self._edges = np.linspace(0.0, 1.0, BINS + 1, dtype=np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return self._seen.shape[1] + BINS + 1

    def reset(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        self.see(rows, pictures)

    def see(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        self._seen[rows] = np.concatenate([pictures.latent, pictures.shares], axis=1)

    def observation(self) -> Floats:
        """See `ExposureEncoder`."""
        edges = np.broadcast_to(self._edges, (len(self._seen), BINS + 1))
        return np.concatenate([self._seen, edges], axis=1)


class ReadoutExposureEncoder:
    """Numbers read from the early latent, the histogram and the active exposure, of two frames."""

    def __init__(self, choices: int, batch: int, numbers: int) -> None:
        self._choices = choices
        self._pictures = np.zeros((batch, FRAMES, 4 + BINS + numbers), np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return int(np.prod(self._pictures.shape[1:]))

    def reset(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        self._pictures[rows] = 0.0
        self.see(rows, pictures)

    def see(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        newest = np.column_stack(
            [
                np.ones(len(rows)),
                pictures.index / (self._choices - 1) * 2.0 - 1.0,
                # A sensor is linear: the logarithm of the grey level gives the factor to correct by.
                np.log2((pictures.mean_grey + 1.0) / 100.0) / 4.0,
                pictures.peak / GREY_MAX,
                pictures.shares,
                pictures.latent,
            ]
        ).astype(np.float32)
        self._pictures[rows] = np.concatenate([newest[:, None], self._pictures[rows, :-1]], axis=1)

    def observation(self) -> Floats:
        """See `ExposureEncoder`."""
        return self._pictures.reshape(len(self._pictures), -1).copy()


@dataclass(frozen=True)
class LatentExposureExtractor:
    """The latent itself, of one frame."""

    encoder: str
    latent_size: int
    kind: str = "latent"

    def observation_encoder(self, choices: int, batch: int) -> LatentExposureEncoder:
        """See `ExposureFeatureExtractor`."""
        return LatentExposureEncoder(batch, self.latent_size)

    def read(self, percept: Percept, index: int) -> ExposureInputs:
        """See `ExposureFeatureExtractor`."""
        return _picture(percept, index, part(percept.latent, percept.encoder, self.encoder)[None])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `ExposureFeatureExtractor`."""
        return {"latent_size": np.array(self.latent_size)}


@dataclass(frozen=True)
class ReadoutExposureExtractor:
    """Numbers read from the early latent of the frame."""

    readout: Readout
    kind: str = "readout"

    @property
    def encoder(self) -> str:
        """Id of the encoder whose latents are read."""
        return GRID_ENCODER

    def observation_encoder(self, choices: int, batch: int) -> ReadoutExposureEncoder:
        """See `ExposureFeatureExtractor`."""
        return ReadoutExposureEncoder(choices, batch, len(self.readout.offset))

    def read(self, percept: Percept, index: int) -> ExposureInputs:
        """See `ExposureFeatureExtractor`."""
        latent = part(percept.latent, percept.encoder, self.encoder)[None]
        return _picture(percept, index, self.readout(features(latent)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `ExposureFeatureExtractor`."""
        return {f"readout.{f.name}": getattr(self.readout, f.name) for f in fields(self.readout)}


def exposure_extractor(kind: str, encoder: str, arrays: Arrays) -> ExposureFeatureExtractor:
    """The extractor of a file.

    Raises:
        ValueError: No such kind, or an array is missing.
    """
    try:
        if kind == "latent":
            return LatentExposureExtractor(encoder, int(arrays["latent_size"]))
        if kind == "readout":
            return ReadoutExposureExtractor(
                Readout(**{f.name: arrays[f"readout.{f.name}"] for f in fields(Readout)})
            )
    except KeyError as error:
        raise ValueError(f"extractor {kind!r}: {error} is missing") from error
    raise ValueError(f"there is no exposure extractor {kind!r}")


def _picture(percept: Percept, index: int, latent: NDArray[np.float32]) -> ExposureInputs:
    return ExposureInputs(
        index=np.array([index]),
        shares=shares_of(percept.histogram_counts)[None],
        peak=np.array([percept.histogram_peak]),
        mean_grey=np.array([percept.mean_grey]),
        brisque=np.array([percept.brisque]),
        latent=latent,
    )
