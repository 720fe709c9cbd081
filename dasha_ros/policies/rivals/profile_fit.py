"""Three looks, a fit of the known contrast profile, a jump, a correction.

The strongest rival on planes: it knows how contrast falls with blur (`contrast_profile`), so three looks
tell where the peak is, while other searches must walk there. With two depths its profile does not fit, and
it ends where whole-frame contrast ends.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.contrast_profile import ContrastProfile
from dasha_ros.policies.search import ScriptedFocus, Search, search_range, travel_of_blur
from dasha_ros.system.paths import config_dir

PROBES = (0.3, 0.7)
"""Places of the looks after the first, as shares of the focus range in dioptres."""
GRID_PX = 0.1
"""Distance between two hypotheses [px of blur radius at 640]."""
NEAR_PX = 4.5
"""Hypotheses this near to the best one are averaged, weighted by their likelihood."""
AROUND_PX = 6.0
"""Hypotheses this near to the best one must be worse before the search ends: contrast has no sign."""
SURE_PX = 0.8
"""The search ends when the spread of those hypotheses is at most this."""
SETTLED_PX = 0.35
"""Corrections smaller than this are not made; twice as much saves a third of a look and loses 1.5 %."""
MAX_CORRECTIONS = 3


def default_profile() -> Path:
    """The file of the shipped profile."""
    return config_dir() / "peers" / "contrast_profile.json"


class ProfileFitFocus(ScriptedFocus):
    """Fits the profile to all looks so far, moves to the peak, looks, and fits again."""

    name = "profile_fit"

    def __init__(self, profile: ContrastProfile | None = None) -> None:
        """``profile``: Profile of the training scenes; the shipped one if left out.

        Raises:
            ProfileError: The shipped profile can't be read.
        """
        super().__init__()
        self._profile = profile or ContrastProfile.load(default_profile())

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        lens = task.lens
        here = first.lens.commanded_position
        looks = {here: first.sharpness}
        low, high = (lens.dioptres(position) for position in search_range(lens))
        stops = [lens.position(low + share * (high - low)) for share in PROBES]
        for position in sorted(stops, key=lambda stop: abs(stop - here)):
            percept = yield position
            looks[position] = percept.sharpness
        for _ in range(1 + MAX_CORRECTIONS):
            here = percept.lens.commanded_position
            target, spread_px = _fit(self._profile, lens, looks)
            if abs(target - here) <= travel_of_blur(lens, here, SETTLED_PX):
                if spread_px <= SURE_PX:
                    break
                # Both sides explain the looks so far; one more look decides.
                side = 1.0 if here < lens.position((low + high) / 2.0) else -1.0
                target = here + side * travel_of_blur(lens, here, spread_px)
            percept = yield target
            looks[target] = percept.sharpness
        return bool(percept.of(task.labels, task.min_score))


def _fit(profile: ContrastProfile, lens: LensModel, looks: dict[float, float]) -> tuple[float, float]:
    """The position that explains the looks best, and the spread of others that also do [px at 640]."""
    low, high = (lens.dioptres(position) for position in search_range(lens))
    count = max(2, round(abs(lens.blur_px(high, low)) / GRID_PX))
    focus = np.linspace(low, high, count)
    px_per_dioptre = abs(lens.blur_px(1.0, 0.0))
    seen_at = np.array([lens.dioptres(position) for position in looks])
    radii = px_per_dioptre * np.abs(focus[:, None] - seen_at[None, :])
    misfit = profile.misfit(radii, np.array(list(looks.values())))
    off_px = px_per_dioptre * (focus - focus[np.argmin(misfit)])
    weight = np.exp(-0.5 * (misfit - misfit.min()))
    near, around = weight * (np.abs(off_px) <= NEAR_PX), weight * (np.abs(off_px) <= AROUND_PX)
    spread_px = math.sqrt(float((around * off_px**2).sum() / around.sum()))
    return lens.position(float((near * focus).sum() / near.sum())), spread_px
