"""The lens of a focal stack: its position is the index of a frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dasha_ros.devices.stack.description import Stack
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.thin_lens import LinearLens

UNIT = "frame"
"""Unit of its positions: frames, counted from 0."""
WHOLE_FRAMES = 1.0
"""Step of a lens that shows nothing but recorded frames."""


def stack_lens(stack: Stack, step: float = WHOLE_FRAMES) -> LinearLens:
    """The profile of a stack's lens.

    Nobody measured the aperture, so the unit of its dioptres is free: it is chosen so that a dioptre blurs as
    much as with the package's standard lens (25 mm, f/2: 8.9 px at 640), and the last frame is at infinity.
    What counts, the blur a frame, is the measured one; where nobody measured it, the map means nothing.

    Args:
        stack: The stack.
        step: Smallest move [frames]: 1 shows recorded frames only, less blends neighbours.
    """
    last = float(len(stack.files) - 1)
    return LinearLens(
        name=f"stack {stack.name}",
        unit=UNIT,
        position_min=0.0,
        position_max=last,
        follows=LensDrive(0.0, last, step=step),
        dioptres_per_unit=-(stack.blur_px_per_frame or _ANY_BLUR_PX) / _PX_PER_DIOPTRE,
        infinity_position=last,
    )


def settled_within(lens: LinearLens) -> float:
    """How near to its target a stack's lens must be to show the right picture [1/m]: a quarter of a step."""
    return abs(lens.dioptres_per_unit) * (lens.drive.step or _FINEST) / 4.0


class StackLens(TwinLens):
    """A lens that moves between the frames of a stack, with the lag of a twin's."""

    def __init__(
        self, clock: Clock, stack: Stack, *, step: float = WHOLE_FRAMES, initial_share: float = 0.0
    ) -> None:
        """Set up a lens at rest.

        Args:
            clock: Tells when a move begins.
            stack: The stack.
            step: See `stack_lens`.
            initial_share: Where it is when power comes: 0 at the first frame, 1 at the last.
        """
        profile = stack_lens(stack, step)
        tolerance = settled_within(profile)
        super().__init__(
            clock,
            profile,
            initial_position=initial_share * profile.position_max,
            tolerance_dioptres=tolerance,
        )
        whole = PowerTrajectory(0, profile.dioptres(0.0), 0.0, profile.drive.time_constant_s)
        self._settle_s = whole.settle_s(tolerance)
        self._stack = stack

    @property
    def info(self) -> LensInfo:
        """Unit, limits and step; and the map, if the blur a frame was measured."""
        known = replace(super().info, settle_s=self._settle_s)
        if self._stack.blur_px_per_frame is not None:
            return known
        return replace(known, profile="", map_positions=(), map_dioptres=(), blur_px_per_dioptre=0.0)

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            **super().describe(),
            "hardware_id": f"lens of the focal stack {self._stack.folder}",
            "model": "recorded focal stack",
        }


_PX_PER_DIOPTRE = LinearLens("standard", UNIT, 0.0, 1.0).blur_px(1.0, 0.0)
"""Blur radius of a dioptre with the standard lens [px at 640]."""
_FINEST = 0.05
"""What counts as a step of a lens that has none [frames]."""
_ANY_BLUR_PX = 0.5
"""Blur a frame where nobody measured it, so that camera and lens agree on a map [px at 640]."""
