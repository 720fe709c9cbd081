"""The default lens, but with more or less blur for the same defocus: another aperture or sensor."""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.optics.varioptic import PhysicalLens


@dataclass(frozen=True)
class ScaledLens(PhysicalLens):
    """Focuses as `PhysicalLens` does; its blur is ``blur_scale`` times as large."""

    blur_scale: float = 1.0

    @property
    def id(self) -> str:
        """The profile with all its numbers."""
        return super().id if self.blur_scale == 1.0 else f"{super().id}:blur={self.blur_scale:g}"

    def blur_px(
        self, focus_dioptres: float, object_dioptres: float, width_px: int = WORKING_WIDTH_PX
    ) -> float:
        """See `ThinLens.blur_px`."""
        return self.blur_scale * super().blur_px(focus_dioptres, object_dioptres, width_px)
