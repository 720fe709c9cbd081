"""Plays an autofocus that follows the contrast of the whole frame in the demo's scene."""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.control.loop import run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.contrast import ContrastFocus
from dasha_ros.twin.world import World

WIDTH, HEIGHT = WORKING_WIDTH_PX, 340
"""Contrast is measured at this size, whatever the camera's size is."""


@dataclass(frozen=True)
class Contrast:
    """Where whole-frame contrast focuses."""

    dioptres: float
    """True focus [1/m]."""
    picture: bytes
    """The camera's picture there, as JPEG."""


def contrast_focus(scene: str, exposure_us: float, position: float) -> Contrast:
    """Let whole-frame contrast focus, in a twin in this process.

    Args:
        scene: Name of the scene.
        exposure_us: A good exposure [us]: this autofocus is judged by its focus only.
        position: Where the lens starts.

    Raises:
        AssetMissing: A photograph is not on this machine.
    """
    perception = Perception()
    rig = TwinRig(
        perception, World(scene), position=position, exposure_us=exposure_us, width=WIDTH, height=HEIGHT
    )
    run_focus(rig, ContrastFocus(), FocusTask(rig.lens, max_steps=100))
    return Contrast(rig.focus_dioptres, perception.annotated_jpeg(rig.observe()))
