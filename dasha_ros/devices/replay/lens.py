"""The lens of a recording: it rests where pictures were taken, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dasha_ros.devices.lens import LensReading
from dasha_ros.devices.replay.recorded import Replay
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.thin_lens import LinearLens

_SPAN = 10.0
"""Between camera and lens, the whole range of positions is so many dioptres; the lens's own map stays."""
_SETTLED = 1e-3
"""The lens counts as settled this near, as a share of its range."""


def replay_lens(info: LensInfo) -> LinearLens:
    """How camera and lens of a replay tell each other where the lens is."""
    low, high = info.position_min, info.position_max
    return LinearLens(
        name="replay",
        unit=info.unit,
        position_min=low,
        position_max=high,
        follows=LensDrive(low, high),
        dioptres_per_unit=_SPAN / (high - low),
        infinity_position=low,
    )


class ReplayLens(TwinLens):
    """A lens that goes to the recorded position which is nearest to the one asked for, and reports that."""

    def __init__(self, clock: Clock, replay: Replay) -> None:
        """Set up a lens that rests where it was when the first picture was taken."""
        profile = replay_lens(replay.info)
        super().__init__(
            clock,
            profile,
            initial_position=replay.frames[0].position,
            tolerance_dioptres=_SETTLED * _SPAN,
        )
        self._replay, self._asked = replay, replay.frames[0].position
        self._settle_s = super().info.settle_s

    @property
    def info(self) -> LensInfo:
        """As recorded, but for the time to settle."""
        return replace(self._replay.info, settle_s=self._settle_s)

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            "hardware_id": f"lens of the recording {self._replay.name}",
            "model": "recording",
            "asked_position": self._asked,
            "recorded_positions": len(self._replay.positions),
        }

    def _move(self, position: float) -> LensReading:
        self._asked = position
        return super()._move(self._replay.nearest_position(position))
