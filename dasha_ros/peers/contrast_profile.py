"""How the contrast of a plane falls with blur, averaged over scenes: what `profile_fit` knows.

The normalised Tenengrad of photographs differs by orders of magnitude, but its fall with
blur does not: log contrast is a curve that all scenes share, plus an offset of the scene.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_DEVIATION = 0.05
"""Of a log contrast: no profile is trusted further, sensor noise alone is of this size."""


class ProfileError(ValueError):
    """A profile that can't be used; the message says why."""


@dataclass(frozen=True)
class ContrastProfile:
    """Mean and deviation of the log contrast at some blur radii, each scene's own mean taken away.

    Raises:
        ProfileError: Lengths differ, radii don't ascend from 0, or a value is not finite.
    """

    radii_px: tuple[float, ...]
    """[px at 640], ascending from 0."""
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    """Between scenes."""
    source: str = ""
    """Which scenes it was made of."""

    def __post_init__(self) -> None:
        """Check the values."""
        columns = (self.radii_px, self.mean, self.deviation)
        if len({len(column) for column in columns}) != 1 or len(self.radii_px) < 2:
            raise ProfileError("a contrast profile needs as many means and deviations as radii, two or more")
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
        deviation = np.maximum(logs.std(axis=0), MIN_DEVIATION)
        return cls(
            tuple(map(float, radii_px)),
            tuple(map(float, logs.mean(axis=0))),
            tuple(map(float, deviation)),
            source,
        )

    @classmethod
    def load(cls, path: Path) -> ContrastProfile:
        """A profile from its JSON file.

        Raises:
            ProfileError: The file can't be read or holds no profile.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            radii, mean, deviation = (
                tuple(map(float, values[key])) for key in ("radii_px", "mean", "deviation")
            )
            return cls(radii, mean, deviation, str(values["source"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ProfileError(f"contrast profile {path} can't be used: {error}") from error

    def save(self, path: Path) -> None:
        """Write the JSON file that `load` reads."""
        rounded = {
            key: [round(v, 4) for v in value] if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }
        path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")

    def misfit(self, radii_px: Array, contrasts: Array) -> Array:
        """How badly each hypothesis explains the looks: weighted squares, the scene's offset fitted.

        Args:
            radii_px: Shape (hypotheses, looks): the blur that each hypothesis predicts [px at 640].
            contrasts: Shape (looks,): what was seen, positive.

        Returns:
            Shape (hypotheses,).
        """
        expected = np.interp(radii_px, self.radii_px, self.mean)
        weight = 1.0 / np.interp(radii_px, self.radii_px, self.deviation) ** 2
        residual = np.log(np.maximum(contrasts, 1e-12)) - expected
        offset = (weight * residual).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        squares: Array = (weight * (residual - offset) ** 2).sum(axis=1)
        # Without the weights' own logarithm, hypotheses that predict nothing would explain everything.
        evidence: Array = squares - np.log(weight).sum(axis=1) + np.log(weight.sum(axis=1))
        return evidence
