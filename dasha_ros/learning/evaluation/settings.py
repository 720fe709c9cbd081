"""Settings of evaluations, and the starts of their episodes, equal for every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dasha_ros.learning.dataset.scenes.views import Kind, ViewInfo
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel

FOCUSED_PX = 2.0
"""Greatest blur radius that counts as focused [px of a 640-px image]."""
FARTHEST_D = 0.02
"""Greatest distance of a layer: 50 m [1/m]."""
COMPOSITE_SHIFT_D = 0.1
"""Both layers of a composite are shifted together by up to this [1/m]; their separation is part of the
picture."""
AFTER_A_H_EV = (-0.7, 0.5)
"""Exposures that A^H hands over, relative to mid grey [EV]: mean grey 62 to 141."""
LIGHT_LX = (13.0, 300.0)
"""Range of the light (paper, V.A.2 and V.B) [lx], evenly in logarithm."""


@dataclass(frozen=True)
class FocusSetting:
    """One kind of focus episodes."""

    name: str
    kind: Kind
    band_m: tuple[float, float]
    """Distances of planes [m], drawn evenly in dioptres. Composites stand near where they were composed."""
    drift_dioptres: float = 0.0
    """The lens's map is off by up to so much, either way [1/m]."""
    any_exposure: bool = False
    """Whether episodes start with any exposure of the table, instead of one that A^H hands over."""
    hand_over: bool = False
    """Whether A^H acts first, and A^L only after its success."""
    disturbed: bool = False
    """Whether views are under a random disturbance; a cache has such views if it was built with them."""

    def shows(self, view: ViewInfo) -> bool:
        """Whether episodes may be of a view."""
        return view.kind == self.kind and (view.disturbance is not None) == self.disturbed

    @property
    def view(self) -> str:
        """What it shows, for people."""
        return f"a {self.kind}{' under a disturbance' if self.disturbed else ''}"


FOCUS_SETTINGS = (
    FocusSetting("planes_paper", "plane", (1.4, 2.0)),
    FocusSetting("planes_drift", "plane", (1.4, 2.0), drift_dioptres=0.155),
    FocusSetting("planes_wide", "plane", (0.3, 10.0)),
    FocusSetting("two_depths", "composite", (0.5, 20.0)),
    FocusSetting("joint", "plane", (0.3, 10.0), any_exposure=True, hand_over=True),
    FocusSetting("joint_no_handover", "plane", (0.3, 10.0), any_exposure=True),
    FocusSetting("planes_disturbed", "plane", (0.3, 10.0), disturbed=True),
    FocusSetting("two_depths_disturbed", "composite", (0.5, 20.0), disturbed=True),
)
"""The paper's band; the same with drift; start and object anywhere; an object in front of a background; both
agents from any exposure; A^L alone from any exposure, which shows the value of the hand-over; and start and
object anywhere under random disturbances."""
USUAL_SETTINGS = tuple(setting for setting in FOCUS_SETTINGS if not setting.disturbed)
"""Those that any cache has views for."""
EXPOSURE_SETTING = "exposure"
"""Name of A^H's setting in any light of `LIGHT_LX`: any exposure, any defocus."""


def exposure_setting(light_lx: tuple[float, float] = LIGHT_LX) -> str:
    """Name of A^H's setting in another light [lx]: least and most, which may be the same."""
    if light_lx == LIGHT_LX:
        return EXPOSURE_SETTING
    least, most = (f"{lux:g}" if lux < 1e4 else f"{lux:.0f}" for lux in light_lx)
    return f"{EXPOSURE_SETTING}_{least}_lx" if least == most else f"{EXPOSURE_SETTING}_{least}_to_{most}_lx"


def focus_setting(name: str) -> FocusSetting:
    """A setting by name.

    Raises:
        ValueError: No such setting; the message lists the known ones.
    """
    for setting in FOCUS_SETTINGS:
        if setting.name == name:
            return setting
    raise ValueError(f"no setting {name!r}; there are: {', '.join(s.name for s in FOCUS_SETTINGS)}")


def not_played(
    settings: Sequence[FocusSetting], views: Sequence[ViewInfo], numbers: Sequence[int]
) -> dict[str, str]:
    """Settings, by name, that show none of the views, and why.

    Args:
        settings: Those that are asked for.
        views: All views.
        numbers: The views to use.
    """
    return {
        setting.name: f"no test view is {setting.view}"
        for setting in settings
        if not any(setting.shows(views[number]) for number in numbers)
    }


@dataclass(frozen=True)
class Start:
    """Where an episode begins. Equal starts give every policy the same world."""

    view: int
    position: float
    """Position of the lens, in its unit."""
    object_dioptres: float
    """Distance of the object [1/m]."""
    drift_dioptres: float
    """Difference between the lens's focus and its map [1/m]."""
    illuminance_lx: float
    exposure_us: float
    seed: int
    """Seed of the sensor's noise."""


def focus_starts(
    setting: FocusSetting,
    views: Sequence[ViewInfo],
    numbers: Sequence[int],
    *,
    per_view: int,
    seed: int,
    lens: LensModel,
    table: ExposureTable,
) -> list[Start]:
    """The starts of a setting: equally many for every view, in the order of the views.

    The lens is anywhere in its range.

    Args:
        setting: The setting.
        views: All views.
        numbers: The views to use; those that the setting does not show are left out.
        per_view: Number of episodes for each view.
        seed: Seed of the draw.
        lens: Start positions are in its range.
        table: Exposures are taken from it.
    """
    starts = []
    for number in numbers:
        view = views[number]
        if not setting.shows(view):
            continue
        random = np.random.default_rng([seed, number])
        for _ in range(per_view):
            near, far = (1.0 / m for m in setting.band_m)
            at = float(random.uniform(far, near))
            shift = float(random.uniform(-COMPOSITE_SHIFT_D, COMPOSITE_SHIFT_D))
            if view.kind == "composite":
                at = composite_dioptres(view, shift)
            drift = float(random.uniform(-1.0, 1.0)) * setting.drift_dioptres
            lux = float(np.exp(random.uniform(*np.log(LIGHT_LX))))
            lux_seconds = view.mid_grey_lux_seconds * 2.0 ** float(random.uniform(*AFTER_A_H_EV))
            if not setting.any_exposure:
                # A^H hands over what it could expose: a dark photograph has more light.
                lux = max(lux, lux_seconds / table.t_max_us * 1e6)
            exposure_us = lux_seconds / lux * 1e6
            if setting.any_exposure:
                exposure_us = table.exposure_us(int(random.integers(len(table))))
            starts.append(
                Start(
                    number,
                    float(random.uniform(lens.position_min, lens.position_max)),
                    at,
                    drift,
                    lux,
                    table.exposure_us(table.nearest(exposure_us)),
                    int(random.integers(1 << 31)),
                )
            )
    return starts


def exposure_starts(
    views: Sequence[ViewInfo],
    numbers: Sequence[int],
    *,
    per_view: int,
    seed: int,
    lens: LensModel,
    table: ExposureTable,
    light_lx: tuple[float, float] = LIGHT_LX,
) -> list[Start]:
    """Starts of A^H: any light, any exposure of the table, any place of lens and plane.

    Other arguments as for `focus_starts`.

    Args:
        light_lx: Least and most light [lx].
    """
    wide = focus_setting("planes_wide")
    starts = []
    for number in numbers:
        view = views[number]
        if view.disturbance is not None:
            continue
        random = np.random.default_rng([seed, number, 1])
        for _ in range(per_view):
            near, far = (1.0 / m for m in wide.band_m)
            at = float(random.uniform(far, near)) if view.kind == "plane" else composite_dioptres(view, 0.0)
            starts.append(
                Start(
                    number,
                    float(random.uniform(lens.position_min, lens.position_max)),
                    at,
                    0.0,
                    float(np.exp(random.uniform(*np.log(light_lx)))),
                    table.exposure_us(int(random.integers(len(table)))),
                    int(random.integers(1 << 31)),
                )
            )
    return starts


def composite_dioptres(view: ViewInfo, shift: float) -> float:
    """Distance of a shifted composite's object [1/m]; no layer goes beyond `FARTHEST_D`."""
    own = 1.0 / view.distance_m
    farthest = min(1.0 / distance for distance in view.distances_m)
    return own + max(shift, FARTHEST_D - farthest)
