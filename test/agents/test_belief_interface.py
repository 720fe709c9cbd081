"""What A^L of `plus` believes about one scene whose curves are known, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from dasha_ros.agents.belief import BeliefModel
from dasha_ros.agents.belief_interface import SHARP_PX, STAY, BeliefInterface
from dasha_ros.agents.detectability import CLASSES, Detectability
from dasha_ros.agents.focus_interface import FocusPictures, LatentInterface
from dasha_ros.agents.lens_map import LensMap
from dasha_ros.agents.moves import MoveLog
from dasha_ros.agents.profile import NODES, Profile, node_radii
from dasha_ros.optics.lens import lens_model

LENS = lens_model()
MAP = LensMap(LENS)
ROW = np.zeros(1, np.intp)
OBJECT_D = 1.7
TOWARDS = 2
"""The action that goes to the likeliest place; see `BeliefInterface`."""


def model():
    """One number, the logarithm of the blur, equal in all scenes; a detector that tells nothing."""
    curve = np.log1p(node_radii())[:, None]
    profile = Profile(curve, np.zeros((NODES, 1, 1)), np.full((NODES, 1), 0.05**2))
    nothing = Detectability(np.ones(1), np.full((1, NODES, CLASSES), -np.log(CLASSES)))
    return BeliefModel(profile, profile, nothing)


def picture(volts):
    """Of a plane at `OBJECT_D`."""
    blur = np.abs(MAP.dioptres(np.array([volts])) - OBJECT_D) * MAP.px_per_dioptre
    read = np.log1p(blur)[:, None]
    return FocusPictures(
        volts=np.array([volts]), score=np.array([0.9]), detected=np.array([True]), brisque=np.array([30.0]),
        latent=np.zeros((1, 0), np.float32), frame=read, box=read,
    )  # fmt: skip


def looked(*volts):
    interface, log = BeliefInterface(model(), LENS, 1), MoveLog(1)
    log.reset(ROW, np.array([volts[0]]))
    interface.reset(ROW, picture(volts[0]))
    for place in volts[1:]:
        log.go(np.array([place]))
        interface.see(ROW, picture(place))
    return interface, log


def test_three_looks_at_known_curves_find_the_focus():
    interface, log = looked(30.0, 60.0, 45.0)
    found = interface.volts(np.array([[TOWARDS]]), log)
    assert MAP.dioptres(found)[0] == pytest.approx(OBJECT_D, abs=0.5 / MAP.px_per_dioptre)


def test_doubt_is_all_but_certain_away_from_the_focus_and_leaves_in_focus():
    in_focus = float(MAP.volts(np.array([OBJECT_D]))[0])
    for places, doubted in (((30.0, 60.0), True), ((30.0, 60.0, in_focus), False)):
        interface, log = looked(*places)
        doubt = interface.doubt(log)[0]
        assert 0.0 <= doubt <= 1.0
        assert (doubt > 0.99) if doubted else (doubt < 0.05)


def test_doubt_is_the_probability_beyond_a_sharp_picture():
    interface, log = looked(42.0)
    here = MAP.dioptres(log.volts)
    blur = np.abs(interface._belief.dioptres - here) * MAP.px_per_dioptre
    expected = interface._belief.posterior[0, blur > SHARP_PX].sum()
    # Hypotheses are 0.22 px apart; half of one may lie on either side.
    assert interface.doubt(log)[0] == pytest.approx(expected, abs=0.05)


def test_a_stay_leaves_the_lens_where_it_is():
    interface, log = looked(42.0)
    assert interface.volts(np.array([[STAY]]), log)[0] == 42.0


def test_who_believes_nothing_doubts_nothing():
    log = MoveLog(3)
    assert (LatentInterface(LENS, 3, 8).doubt(log) == 0.0).all()
