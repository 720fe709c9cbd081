"""How the contrast of a plane falls with blur, and how scenes differ in this; used by `profile_fit`.

The normalised Tenengrad of photographs differs by orders of magnitude, but falls with blur in similar ways.
The log contrast is a curve that all scenes share, plus an offset of the scene, plus a few curves in amounts
that are the scene's own (two explain 97 % of the differences between photographs).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.documents import read_json
from dasha_ros.files.errors import FileError

Array = NDArray[np.float64]

MODES = 2
"""Number of modes that are kept."""
MIN_DEVIATION = 0.05
"""Least deviation of a log contrast: sensor noise alone is of this size."""
LEAST_CONTRAST = 1e-12
"""Contrast of a picture of one grey level, for the logarithm."""
OFFSET_DEVIATION = 5.0
"""Deviation of a scene's offset of the log contrast: practically unknown."""


class ProfileError(ValueError):
    """A profile that can't be used; the message says why."""


@dataclass(frozen=True)
class ContrastProfile:
    """The log contrast at some blur radii, without each scene's own mean.

    Raises:
        ProfileError: Lengths differ, radii don't ascend from 0, or a value is not finite.
    """

    radii_px: tuple[float, ...]
    """[px at 640], ascending from 0."""
    mean: tuple[float, ...]
    modes: tuple[tuple[float, ...], ...]
    """Modes in which scenes differ from the mean, scaled so that their amounts have variance 1."""
    deviation: tuple[float, ...]
    """Deviation of the remainder."""
    source: str = ""
    """The scenes that it was fitted to."""

    def __post_init__(self) -> None:
        """Check the values."""
        columns = (self.radii_px, self.mean, self.deviation, *self.modes)
        if len({len(column) for column in columns}) != 1 or len(self.radii_px) < 2:
            raise ProfileError("a contrast profile needs as many values in every curve as radii, two or more")
        if not all(math.isfinite(value) for column in columns for value in column):
            raise ProfileError("a contrast profile holds a value that is not a finite number")
        if self.radii_px[0] != 0.0 or any(
            a >= b for a, b in zip(self.radii_px, self.radii_px[1:], strict=False)
        ):
            raise ProfileError("the radii of a contrast profile must ascend from 0")

    @classmethod
    def fit(cls, radii_px: Array, contrasts: Array, source: str = "") -> ContrastProfile:
        """The profile of measured curves.

        Args:
            radii_px: Shape (k,), ascending from 0 [px at 640].
            contrasts: Shape (scenes, k), positive.
            source: Which scenes they are.

        Raises:
            ProfileError: No curve, or a contrast that is not a positive number.
        """
        if contrasts.ndim != 2 or not len(contrasts):
            raise ProfileError("a contrast profile needs at least one measured curve")
        if not (np.isfinite(contrasts).all() and (contrasts > 0).all()):
            raise ProfileError("a contrast is not a positive number: a profile can't be fitted to it")
        logs = np.log(contrasts)
        logs = logs - logs.mean(axis=1, keepdims=True)
        mean = logs.mean(axis=0)
        amounts, sizes, shapes = np.linalg.svd(logs - mean, full_matrices=False)
        kept = slice(0, MODES)
        modes = sizes[kept, None] * shapes[kept] / math.sqrt(len(logs))
        left = logs - mean - (amounts[:, kept] * sizes[kept]) @ shapes[kept]
        deviation = np.maximum(left.std(axis=0), MIN_DEVIATION)
        return cls(_floats(radii_px), _floats(mean), tuple(map(_floats, modes)), _floats(deviation), source)

    @classmethod
    def load(cls, path: Path) -> ContrastProfile:
        """A profile from its JSON file.

        Raises:
            ProfileError: The file can't be read or holds no profile.
        """
        try:
            values = read_json(path)
            radii, mean, deviation = (_floats(values[key]) for key in ("radii_px", "mean", "deviation"))
            return cls(radii, mean, tuple(map(_floats, values["modes"])), deviation, str(values["source"]))
        except FileError as error:
            raise ProfileError(f"contrast profile {error}") from error
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise ProfileError(f"contrast profile {path} can't be used: {error}") from error

    def save(self, path: Path) -> None:
        """Write the JSON file that `load` reads."""
        rounded = {
            key: np.round(value, 4).tolist() if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }
        path.write_text(json.dumps(rounded) + "\n", encoding="utf-8")

    def misfit(self, radii_px: Array, contrasts: Array) -> Array:
        """How badly each hypothesis explains the pictures: -2 log likelihood, up to a constant.

        The scene's offset and the amounts of its modes are integrated out.

        Args:
            radii_px: Shape (hypotheses, looks): the blur that each hypothesis predicts [px at 640].
            contrasts: Shape (looks,): the measured contrasts, positive.

        Returns:
            Shape (hypotheses,).
        """

        def at(curve: tuple[float, ...]) -> Array:
            return np.interp(radii_px, self.radii_px, curve)

        looks = radii_px.shape[1]
        modes = np.stack([np.full_like(radii_px, OFFSET_DEVIATION), *map(at, self.modes)], axis=-1)
        covariance = modes @ modes.transpose(0, 2, 1) + at(self.deviation)[:, :, None] ** 2 * np.eye(looks)
        residual = np.log(np.maximum(contrasts, LEAST_CONTRAST)) - at(self.mean)
        lower = np.linalg.cholesky(covariance)
        scaled = np.linalg.solve(lower, residual[..., None])[..., 0]
        log_determinant = 2.0 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        evidence: Array = (scaled**2).sum(axis=1) + log_determinant
        return evidence


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(map(float, values))
