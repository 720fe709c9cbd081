"""The belief in px of blur: a lens that blurs more or less per dioptre gets the same belief, stretched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_curves import LARGE, LENS, model

from dasha_ros.estimation.belief import FocusBelief, belief_map
from dasha_ros.optics.lens_info import LensInfo

ROW = np.zeros(1, np.intp)
OBJECT_PX = 5.0
"""Distance of the object from infinity, in px of blur."""


def other_lens(times: float):
    """A lens that blurs so many times as much per dioptre, with as many times less travel in dioptres."""
    info = LensInfo.of(LENS)
    dioptres = tuple(d / times for d in info.map_dioptres)
    return replace(info, map_dioptres=dioptres, blur_px_per_dioptre=times * info.blur_px_per_dioptre).model()


@pytest.mark.parametrize("times", [0.25, 0.5, 2.0, 4.0])
def test_the_object_is_found_at_the_same_position_of_the_lens(times):
    places = []
    for lens in (LENS, other_lens(times)):
        lens_map = belief_map(lens)
        belief = FocusBelief(model(), lens_map, 1)
        at = OBJECT_PX / lens_map.px_per_dioptre
        for focus in (0.4, 2.6):
            position = lens_map.position(np.array([focus]))
            blur = np.abs(lens_map.dioptres(position) - at) * lens_map.px_per_dioptre
            read = np.log1p(blur)[:, None]
            score = np.array([0.9])
            belief.add(ROW, position, read, read, score, detail=read, trust=score, cells=LARGE)
        best = belief.dioptres[belief.posterior[0].argmax()]
        places.append(lens_map.position(np.array([best]))[0])
    assert places[1] == pytest.approx(places[0], abs=0.2)


def test_the_unit_is_a_dioptre_for_the_lens_of_the_twin():
    assert belief_map(LENS).scale == pytest.approx(1.0)
    assert belief_map(other_lens(2.0)).scale == pytest.approx(2.0)
