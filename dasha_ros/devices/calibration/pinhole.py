"""A camera's calibration, as ``camera_calibration`` writes it and ``camera_info`` carries it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.validation import reasons
from dasha_ros.optics.thin_lens import PIXEL_PITCH_UM, SENSOR_WIDTH_PX

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_SIDE = Annotated[int, Field(ge=1, le=100_000)]


class CalibrationError(ValueError):
    """A calibration that no camera can have; the message says why."""


@dataclass(frozen=True)
class PinholeCalibration:
    """Intrinsics of a camera, in pixels of the image that it was calibrated with."""

    width: int
    height: int
    k: tuple[float, ...]
    """3 x 3, row by row: focal lengths and principal point [px]."""
    distortion_model: str = "plumb_bob"
    d: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """Distortion, as many numbers as the model has."""
    r: tuple[float, ...] = _IDENTITY
    """3 x 3 rectification; the identity for a single camera."""
    p: tuple[float, ...] = ()
    """3 x 4 projection; empty: K and no baseline."""
    name: str = "camera"

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            CalibrationError: A number is missing, not finite, or impossible.
        """
        if not self.p:
            k = self.k
            object.__setattr__(self, "p", (*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0))
        for what, values, count in (("K", self.k, 9), ("R", self.r, 9), ("P", self.p, 12)):
            if len(values) != count:
                raise CalibrationError(f"{what} has {len(values)} numbers instead of {count}")
        if not all(map(math.isfinite, (*self.k, *self.d, *self.r, *self.p))):
            raise CalibrationError("a number is not finite")
        if self.width < 1 or self.height < 1:
            raise CalibrationError(f"the image is {self.width} x {self.height} px")
        if self.k[0] <= 0.0 or self.k[4] <= 0.0:
            raise CalibrationError(
                f"K holds focal lengths of {self.k[0]:g} and {self.k[4]:g}: not calibrated"
            )


def nominal(width: int, height: int, focal_length_mm: float) -> PinholeCalibration:
    """What a simulated camera has: no distortion, and the view of the sensor behind a lens.

    The view of the simulation is the same at every focus, so these numbers are, too. Behind a real lens it
    changes a little with focus (breathing).
    """
    focal_px = focal_length_mm * 1e3 / PIXEL_PITCH_UM * width / SENSOR_WIDTH_PX
    centre = ((width - 1) / 2.0, (height - 1) / 2.0)
    k = (focal_px, 0.0, centre[0], 0.0, focal_px, centre[1], 0.0, 0.0, 1.0)
    return PinholeCalibration(width, height, k, name="simulated")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Matrix(_Part):
    data: list[FiniteFloat]


class _File(_Part):
    image_width: _SIDE
    image_height: _SIDE
    camera_name: str = "camera"
    camera_matrix: _Matrix
    distortion_model: str = "plumb_bob"
    distortion_coefficients: _Matrix
    rectification_matrix: _Matrix = _Matrix(data=list(_IDENTITY))
    projection_matrix: _Matrix | None = None


def read_calibration(path: str | Path) -> PinholeCalibration:
    """Read a calibration file, as ``camera_calibration`` and ``camera_info_manager`` write it (YAML).

    Raises:
        FileError: The file can't be read, or is no calibration; the message says why.
    """
    content = read_yaml(path)
    try:
        file = _File.model_validate(content)
        projection = file.projection_matrix
        return PinholeCalibration(
            file.image_width,
            file.image_height,
            tuple(file.camera_matrix.data),
            file.distortion_model,
            tuple(file.distortion_coefficients.data),
            tuple(file.rectification_matrix.data),
            tuple(projection.data) if projection else (),
            file.camera_name,
        )
    except (ValidationError, TypeError) as error:
        raise FileError(path, f"is no camera calibration: {reasons(error, 'the file', _File)}") from error
    except CalibrationError as error:
        raise FileError(path, f"is no camera calibration: {error}") from error


def calibration_yaml(calibration: PinholeCalibration) -> str:
    """The calibration as text, in the form that `read_calibration` and other packages read."""

    def matrix(values: Sequence[float], rows: int) -> dict[str, Any]:
        return {"rows": rows, "cols": len(values) // rows, "data": [float(v) for v in values]}

    content = {
        "image_width": calibration.width,
        "image_height": calibration.height,
        "camera_name": calibration.name,
        "camera_matrix": matrix(calibration.k, 3),
        "distortion_model": calibration.distortion_model,
        "distortion_coefficients": matrix(calibration.d, 1),
        "rectification_matrix": matrix(calibration.r, 3),
        "projection_matrix": matrix(calibration.p, 3),
    }
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None)
