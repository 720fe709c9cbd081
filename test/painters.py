"""Stand-ins for the twin, for tests of how pictures travel."""

from __future__ import annotations

import numpy as np

from dasha_ros.emulators.camera.pictures import Scenery


class Painter:
    """Returns the same picture every time, and records the requests."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self.asked: list[tuple[float, float]] = []

    def __call__(self, exposure_us: float, gain_db: float) -> np.ndarray:
        self.asked.append((exposure_us, gain_db))
        return self.picture


class Level(Scenery):
    """A `Scenery` of one grey level at a time."""

    def __init__(self) -> None:
        self.level = 10
        self.given: int | None = None
        self.begins: list[int] = []

    def seen(
        self, exposure_us: float, gain_db: float, begin_ns: int = 0, *, only_if_changed: bool = False
    ) -> np.ndarray | None:
        if only_if_changed and self.given == self.level:
            return None
        self.given = self.level
        self.begins.append(begin_ns)
        return np.full((48, 64), self.level, np.uint8)
