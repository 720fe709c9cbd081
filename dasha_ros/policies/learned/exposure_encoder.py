"""What A^H sees and what it can do, in training, evaluation and on a robot; see `focus_encoder`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.readout import GRID_ENCODER, Readout, features
from dasha_ros.optics.exposure_table import EXPOSURES, T_MAX_US, T_MIN_US
from dasha_ros.perception.encoders.joint import part, part_of_size
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.policy_content import ABSOLUTE, LATENT, RELATIVE
from dasha_ros.policies.policy import ExposureRule
from dasha_ros.policies.reached import GREY_MAX, bright_share, exposure_sides, mid_grey_ev, shares_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Arrays = Mapping[str, NDArray[Any]]

BINS = 10
FRAMES = 2
"""Number of pictures in an observation of `ReadoutExposureEncoder`."""
STRIDE, REACH = 2, 24
"""Actions of `RelativeExposureEncoder`: so many values of the table are between two of them (0.21 EV of the
paper's table; well-exposed pictures span 1.3 EV), and there are so many to either side (5 EV)."""
STEP_EV = float(np.log2(T_MAX_US / T_MIN_US)) / (EXPOSURES - 1)
"""Distance of two values of the paper's table [EV]."""


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
    """What A^H sees and can do, for a batch of episodes."""

    @property
    def size(self) -> int:
        """Length of an observation."""
        ...

    @property
    def actions(self) -> int:
        """Number of actions."""
        ...

    def index(self, actions: NDArray[np.integer]) -> Rows:
        """The indices of the exposure table that actions mean now.

        Args:
            actions: Shape (batch,) or (batch, k).

        Returns:
            The same shape.
        """
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
    """As in the paper: latent, histogram values and edges of one frame (Eq. 6), each of order one. An action
    is an index of the table.

    The paper does not say how it scales the histogram. Raw counts of a 2-megapixel image would drown the
    latent, so counts become shares of the image, and edges shares of full scale.
    """

    def __init__(self, choices: int, batch: int, latent_size: int) -> None:
        self.actions = choices
        self._seen = np.zeros((batch, latent_size + BINS), np.float32)
        self._edges = np.linspace(0.0, 1.0, BINS + 1, dtype=np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return self._seen.shape[1] + BINS + 1

    def index(self, actions: NDArray[np.integer]) -> Rows:
        """See `ExposureEncoder`."""
        return np.asarray(actions, np.intp)

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
    """Numbers read from the early latent, the histogram and the active exposure, of two frames. An action is
    an index of the table."""

    def __init__(self, choices: int, batch: int, numbers: int) -> None:
        self.actions = self._choices = choices
        self._last = choices - 1
        """The index that is seen as 1."""
        self._pictures = np.zeros((batch, FRAMES, 4 + BINS + numbers), np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return int(np.prod(self._pictures.shape[1:]))

    def index(self, actions: NDArray[np.integer]) -> Rows:
        """See `ExposureEncoder`."""
        return np.asarray(actions, np.intp)

    def reset(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        self._pictures[rows] = 0.0
        self.see(rows, pictures)

    def see(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        newest = np.column_stack(
            [
                np.ones(len(rows)),
                pictures.index / self._last * 2.0 - 1.0,
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


class RelativeExposureEncoder(ReadoutExposureEncoder):
    """Sees the same, but an action is a step from the exposure at which a linear sensor would show mid grey.

    So what is learned is the same in any light: how far to go from a picture that is black or clipped, and
    which corrections are left otherwise. Where the table ends, the end is meant. A table that goes on with
    gain is seen as the same one.
    """

    def __init__(self, choices: int, batch: int, numbers: int) -> None:
        super().__init__(choices, batch, numbers)
        self.actions = 2 * REACH + 1
        self._last = EXPOSURES - 1
        self._steps = np.arange(-REACH, REACH + 1) * STRIDE
        self._aim: Rows = np.zeros(batch, np.intp)

    def index(self, actions: NDArray[np.integer]) -> Rows:
        """See `ExposureEncoder`."""
        aim = self._aim.reshape(-1, *(1,) * (np.ndim(actions) - 1))
        result: Rows = np.clip(aim + self._steps[actions], 0, self._choices - 1)
        return result

    def see(self, rows: Rows, pictures: ExposureInputs) -> None:
        """See `ExposureEncoder`."""
        super().see(rows, pictures)
        ev = mid_grey_ev(pictures.mean_grey, bright_share(pictures.shares))
        self._aim[rows] = pictures.index + np.rint(ev / STEP_EV).astype(np.intp)


@dataclass(frozen=True)
class LatentExposureExtractor:
    """The latent itself, of one frame."""

    encoder: str
    latent_size: int
    kind: str = LATENT

    def observation_encoder(self, choices: int, batch: int) -> LatentExposureEncoder:
        """See `ExposureFeatureExtractor`."""
        return LatentExposureEncoder(choices, batch, self.latent_size)

    def read(self, percept: Percept, index: int) -> ExposureInputs:
        """See `ExposureFeatureExtractor`."""
        latent = part_of_size(percept.latent, percept.encoder, self.encoder, self.latent_size)
        return _picture(percept, index, latent[None])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `ExposureFeatureExtractor`."""
        return {"latent_size": np.array(self.latent_size)}


@dataclass(frozen=True)
class ReadoutExposureExtractor:
    """Numbers read from the early latent of the frame."""

    readout: Readout
    relative: bool = False
    """Whether actions are steps instead of indices; see `RelativeExposureEncoder`."""

    @property
    def kind(self) -> str:
        """See `ExposureFeatureExtractor`."""
        return RELATIVE if self.relative else ABSOLUTE

    @property
    def encoder(self) -> str:
        """Id of the encoder whose latents are read."""
        return GRID_ENCODER

    def observation_encoder(self, choices: int, batch: int) -> ReadoutExposureEncoder:
        """See `ExposureFeatureExtractor`."""
        made = RelativeExposureEncoder if self.relative else ReadoutExposureEncoder
        return made(choices, batch, len(self.readout.offset))

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
        if kind == LATENT:
            return LatentExposureExtractor(encoder, int(arrays["latent_size"]))
        if kind in (ABSOLUTE, RELATIVE):
            readout = Readout(**{f.name: arrays[f"readout.{f.name}"] for f in fields(Readout)})
            return ReadoutExposureExtractor(readout, relative=kind == RELATIVE)
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
