"""BRISQUE measures how natural an image looks, without a reference.

Mittal, Moorthy and Bovik, "No-Reference Image Quality Assessment in the Spatial
Domain", IEEE TIP 2012: B of paper Eq. 7 and 8. The model and every convention
(7 x 7 Gaussian, zero borders, C = 1/255, cubic halving, 36 features, RBF
support-vector regression) are those of the package ``brisque`` 0.2.0.

Scores agree with the package within 0.01 if every window of the image has some structure, such as a sensor's
noise. If whole windows are flat (clipped or without noise), the package's score depends on the signs of its
rounding errors, which count as "not negative" here: the difference is 0.1 at the median and below 5. Float32
is precise enough, and takes a fortieth of the package's time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.errors import FileError
from dasha_ros.perception.errors import ImageError, ModelError

FEATURES = 36
MIN_SIDE = 16
"""In pixels. In a smaller image, the half-size image would be smaller than the Gaussian window."""
BLANK_SCORE = 100.0
"""The worst score of the scale, for an image without structure, for which the reference is undefined."""

_KERNEL_SIZE = 7
_KERNEL_SIGMA = 7 / 6
_FLUSH = np.float32(1024)
"""Adding and subtracting it drops differences below 1e-4 grey levels."""
_TABLE_SIZE = 8192
_TABLE_RANGE = (0.05, 1e4)
"""Beyond its end the noise is flatter than any such curve, and every kernel vanishes, as in the reference."""


@dataclass(frozen=True, slots=True)
class BrisqueModel:
    """The trained regression: score = sum(coefficients * exp(-gamma |x - vector|^2)) - rho."""

    vectors: NDArray[np.float64]
    """Support vectors, n x 36."""
    coefficients: NDArray[np.float64]
    """One per support vector."""
    gamma: float
    rho: float
    minimum: NDArray[np.float64]
    """The value of each feature that is mapped to -1."""
    maximum: NDArray[np.float64]
    """The value of each feature that is mapped to +1."""

    @classmethod
    def load(cls, path: Path) -> BrisqueModel:
        """Read the ``.npz`` that the set-up converts from the package's files.

        Raises:
            ModelError: The file is missing, corrupt or another one.
        """
        try:
            arrays = read_arrays(path)
            model = cls(
                vectors=arrays["vectors"],
                coefficients=arrays["coefficients"],
                gamma=float(arrays["gamma"]),
                rho=float(arrays["rho"]),
                minimum=arrays["minimum"],
                maximum=arrays["maximum"],
            )
        except FileError as error:
            raise ModelError(f"Cannot read the BRISQUE model {error}. Run the set-up again.") from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"Cannot read the BRISQUE model {path}: it lacks {error}. Run the set-up again."
            ) from error
        count = model.coefficients.size
        shapes = (model.vectors.shape, model.minimum.shape, model.maximum.shape)
        if model.coefficients.ndim != 1 or shapes != ((count, FEATURES), (FEATURES,), (FEATURES,)):
            raise ModelError(f"{path} is not a BRISQUE model: its arrays have shapes {shapes}.")
        return model

    def save(self, file: BinaryIO) -> None:
        """Write the file that `load` reads."""
        np.savez(
            file,
            vectors=self.vectors,
            coefficients=self.coefficients,
            gamma=self.gamma,
            rho=self.rho,
            minimum=self.minimum,
            maximum=self.maximum,
        )

    def predict(self, features: NDArray[np.float64]) -> float:
        """The score of 36 features."""
        x = 2 * (features - self.minimum) / (self.maximum - self.minimum) - 1
        distance = (self.vectors**2).sum(axis=1) - 2 * self.vectors @ x + x @ x
        return float(self.coefficients @ np.exp(-self.gamma * distance) - self.rho)


class Brisque:
    """Scores grey images; lower is better, about 0..100."""

    def __init__(self, model: BrisqueModel) -> None:
        self._model = model
        self._kernel = cv2.getGaussianKernel(_KERNEL_SIZE, _KERNEL_SIGMA, cv2.CV_32F)
        self._shape = _ShapeTable()

    def score(self, grey: NDArray[np.uint8]) -> float:
        """The quality of an image.

        Args:
            grey: H x W, 0..255, each side at least 16 pixels.

        Returns:
            The score; `BLANK_SCORE` for an image without structure, such as a black one.

        Raises:
            ImageError: The image has another type or is too small.
        """
        features = self.features(grey)
        return BLANK_SCORE if features is None else self._model.predict(features)

    def features(self, grey: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """The 36 features, 18 at full and 18 at half size; ``None`` if the image has no structure.

        Raises:
            ImageError: The image has another type or is too small.
        """
        if grey.ndim != 2 or grey.dtype != np.uint8 or min(grey.shape) < MIN_SIDE:
            raise ImageError(
                f"BRISQUE needs an H x W image of uint8 with sides of at least {MIN_SIDE} pixels, "
                f"not {grey.dtype} of shape {grey.shape}."
            )
        image = grey.astype(np.float32)
        half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC)
        features: list[float] = []
        for scale in (image, half):
            coefficients = self._normalise(scale)
            fits = [
                self._fit(coefficients),
                *(self._fit(cv2.multiply(*pair)) for pair in _neighbours(coefficients)),
            ]
            for index, fit in enumerate(fits):
                if fit is None:
                    return None
                features.extend(fit.symmetric() if index == 0 else fit.asymmetric())
        return np.array(features)

    def _normalise(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean-subtracted, contrast-normalised coefficients; grey levels 0..255, so C is 1.

        The features count signs. In a flat window the sign would be a rounding error, so it becomes zero.
        """
        kernel, border = self._kernel, cv2.BORDER_CONSTANT
        mean = cv2.sepFilter2D(image, -1, kernel, kernel, borderType=border)
        mean_square = cv2.sepFilter2D(cv2.multiply(image, image), -1, kernel, kernel, borderType=border)
        centred = cv2.subtract(image, mean)
        centred += _FLUSH
        centred -= _FLUSH
        variance = cv2.absdiff(cv2.multiply(mean, mean, dst=mean), mean_square, dst=mean_square)
        deviation = cv2.sqrt(variance, dst=variance)
        deviation += 1
        return np.asarray(cv2.divide(centred, deviation, dst=centred))

    def _fit(self, values: NDArray[np.float32]) -> _Fit | None:
        """Fit an asymmetric generalised Gaussian by its moments (Lasmar et al., ICIP 2009)."""
        negative = cv2.min(values, 0.0)
        count = values.size
        count_left = cv2.countNonZero(negative)
        square_sum = cv2.norm(values, cv2.NORM_L2SQR)
        square_left = cv2.norm(negative, cv2.NORM_L2SQR)
        square_right = square_sum - square_left
        if count_left in (0, count) or square_left <= 0 or square_right <= 0:
            return None
        left = math.sqrt(square_left / count_left)
        right = math.sqrt(square_right / (count - count_left))
        mean_abs = cv2.norm(values, cv2.NORM_L1) / count
        ratio = mean_abs**2 / (square_sum / count)
        gamma = left / right
        ratio *= (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
        return _Fit(self._shape.alpha(ratio), left, right)


@dataclass(frozen=True, slots=True)
class _Fit:
    alpha: float
    left: float
    right: float

    def symmetric(self) -> tuple[float, float]:
        return self.alpha, (self.left**2 + self.right**2) / 2

    def asymmetric(self) -> tuple[float, float, float, float]:
        log = math.lgamma
        a = self.alpha
        scale = math.exp(log(2 / a) - log(1 / a) + (log(1 / a) - log(3 / a)) / 2)
        return a, (self.right - self.left) * scale, self.left**2, self.right**2


class _ShapeTable:
    """Inverts ratio(alpha) = Gamma(2/alpha)^2 / (Gamma(1/alpha) Gamma(3/alpha)), which rises with alpha.

    Linear interpolation of log alpha; its relative error is below 1e-5.
    """

    def __init__(self) -> None:
        self._log_alpha = np.linspace(math.log(_TABLE_RANGE[0]), math.log(_TABLE_RANGE[1]), _TABLE_SIZE)
        inverse = np.exp(-self._log_alpha)
        log_gamma = np.vectorize(math.lgamma)
        self._log_ratio = 2 * log_gamma(2 * inverse) - log_gamma(inverse) - log_gamma(3 * inverse)

    def alpha(self, ratio: float) -> float:
        """The shape; at the end of the table for ratios beyond it."""
        return math.exp(float(np.interp(math.log(ratio), self._log_ratio, self._log_alpha)))


def _neighbours(
    a: NDArray[np.float32],
) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
    """Each pixel and its neighbour to the right, below, below right and below left."""
    return (
        (a[:, :-1], a[:, 1:]),
        (a[:-1, :], a[1:, :]),
        (a[:-1, :-1], a[1:, 1:]),
        (a[1:, :-1], a[:-1, 1:]),
    )
