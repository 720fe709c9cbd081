"""The paper's actions of A^L."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.lens_actions import LensActions

ACTIONS = LensActions(24.0, 70.0)


def position(coarse: int, fine: int) -> float:
    return float(ACTIONS.positions(np.array([[coarse, fine]]))[0])


def test_the_paper_s_lens_has_47_coarse_and_10_fine_actions():
    assert ACTIONS.nvec == (47, 10)
    assert LensActions.of(lens_model()) == LensActions(24.0, 70.0)


def test_ends_of_the_range():
    assert position(0, 0) == 24.0
    assert position(46, 0) == 70.0
    assert position(46, 9) == 70.0
    assert position(17, 3) == pytest.approx(41.3)


def test_every_tenth_of_a_unit_is_one_action():
    actions = np.stack(np.unravel_index(np.arange(470), ACTIONS.nvec), axis=1)
    tenths = np.rint(ACTIONS.positions(actions[:461]) * 10.0)
    assert tenths.tolist() == list(range(240, 701))


@given(st.integers(0, 46), st.integers(0, 9))
def test_no_action_leaves_the_range(coarse, fine):
    assert 24.0 <= position(coarse, fine) <= 70.0
