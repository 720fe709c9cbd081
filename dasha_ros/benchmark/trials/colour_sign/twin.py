"""How often colour tells the side of the focus in the twin, by curves as `plus_colour` has them."""

from __future__ import annotations

import numpy as np

from dasha_ros.benchmark.rows import Row
from dasha_ros.estimation.colour_sign import signed_node
from dasha_ros.estimation.profile import Profile, ProfileEvidence
from dasha_ros.learning.dataset.cache.cells import Array, CellMap
from dasha_ros.learning.dataset.cache.colour_camera import FARTHER, NEARER
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.fitting.colour import ColourRatios
from dasha_ros.learning.fitting.fit import fit_signed_profile
from dasha_ros.learning.training.train import split_of

SPLITS = (0, 1, 2)


def in_the_twin(cache: PerceptCache) -> list[Row]:
    """A row for each blur: planes of the test parts, judged by curves of the training parts of `SPLITS`.

    - ``blur_px``; ``views``, ``pictures``: how many
    - ``one_picture``: share of pictures whose side is right, if the amount of blur is known

    Raises:
        ReadingError: The cache holds no colours.
    """
    ratios, cells = ColourRatios(cache), CellMap(cache)
    radii = np.array(cache.meta.grids.focus.plane) * cache.px_per_dioptre
    right: dict[float, list[bool]] = {float(radius): [] for radius in radii[1:]}
    views: dict[float, set[int]] = {radius: set() for radius in right}
    for number in SPLITS:
        split = split_of(cache, number)
        profile = fit_signed_profile(radii, ratios.curves(radii, split.train))
        for view in (int(v) for v in split.test if cache.views[v].kind == "plane"):
            shown = ratios.place[cells.focus_cells(view).rows[1:]]
            for radius, at in zip(right, shown, strict=True):
                for side, sign in ((NEARER, 1.0), (FARTHER, -1.0)):
                    seen = at[..., side, :].reshape(-1, at.shape[-1])
                    seen = seen[np.isfinite(seen).all(axis=1)]
                    right[radius] += list(_is_right(profile, seen, sign * radius))
                    views[radius] |= {view} if len(seen) else set()
    return [
        {
            "blur_px": round(radius, 2),
            "views": len(views[radius]),
            "pictures": len(told),
            "one_picture": round(float(np.mean(told)), 4),
        }
        for radius, told in right.items()
        if told
    ]


def _is_right(profile: Profile, ratios: Array, blur_px: float) -> Array:
    """Whether each picture's signed blur is likelier than the same blur on the other side."""
    evidence = ProfileEvidence(profile, len(ratios), 2)
    rows = np.arange(len(ratios))
    nodes = np.broadcast_to(signed_node(np.array([blur_px, -blur_px])), (len(ratios), 2))
    evidence.add(rows, nodes, ratios, np.ones(len(ratios)))
    true, other = evidence.log_likelihood(rows).T
    return np.asarray(true > other)
