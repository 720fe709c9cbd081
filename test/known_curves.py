"""One scene whose curves are known, for tests of what A^L believes."""

from __future__ import annotations

import numpy as np

from dasha_ros.estimation.belief import BeliefModel
from dasha_ros.estimation.detectability import CLASSES, Detectability
from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.estimation.profile import NODES, Profile, node_radii
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.focus_encoder import FocusInputs

LENS = lens_model()
MAP = LensMap(LENS)
ROW = np.zeros(1, np.intp)
OBJECT_D = 1.7
LARGE = np.array([100.0])
"""Cells of the map of detail that a large object covers."""


def model() -> BeliefModel:
    """One number, the logarithm of the blur, equal in all scenes; a detector that tells nothing."""
    curve = np.log1p(node_radii())[:, None]
    profile = Profile(curve, np.zeros((NODES, 1, 1)), np.full((NODES, 1), 0.05**2))
    nothing = Detectability(np.ones(1), np.full((1, NODES, CLASSES), -np.log(CLASSES)))
    return BeliefModel(profile, profile, profile, nothing)


def picture(position: float) -> FocusInputs:
    """Of a plane at `OBJECT_D`."""
    blur = np.abs(MAP.dioptres(np.array([position])) - OBJECT_D) * MAP.px_per_dioptre
    read = np.log1p(blur)[:, None]
    return FocusInputs(
        position=np.array([position]), score=np.array([0.9]), detected=np.array([True]),
        brisque=np.array([30.0]), latent=np.zeros((1, 0), np.float32), frame=read, box=read,
        detail=read, place=np.full_like(read, np.nan), cells=LARGE,
    )  # fmt: skip
