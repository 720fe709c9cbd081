"""What worked on a goal: software, models and the lens, as a report keeps them."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A number; ``None`` if it is unknown or not finite (JSON has no NaN)."""


class Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class KnownLens(Part):
    """What policies knew of the lens; see `optics.lens_info.LensInfo`."""

    unit: str
    position_min: float
    position_max: float
    resolution: float = 0.0
    settle_s: float = 0.0
    play: float = 0.0
    approach: int = 0
    profile: str = ""
    map_positions: tuple[float, ...] = ()
    map_dioptres: tuple[float, ...] = ()
    blur_px_per_dioptre: float = 0.0
    blur_doubt: float = 1.0


class Setup(Part):
    """The software and models that worked on the goal."""

    version: str = ""
    """Version of the package."""
    encoder: str = ""
    detector: str = ""
    exposure_policy: str = ""
    focus_policy: str = ""
    lens: KnownLens | None = None
