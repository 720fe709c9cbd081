from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.exposure_table import flicker_shown
from dasha_ros.optics.lamp import lamp_light


@given(
    st.floats(50.0, 240.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1e5),
    st.floats(2e-5, 0.1),
)
def test_it_is_the_mean_of_the_light_over_the_exposure(
    hz: float, depth: float, begin_s: float, exposure_s: float
) -> None:
    # The midpoint rule, over parts so short that its error is far below what is asked for.
    within = (np.arange(20_000) + 0.5) / 20_000 * exposure_s
    light = 1.0 + depth * np.cos(2.0 * np.pi * hz * (begin_s + within))
    assert lamp_light(hz, depth, begin_s, exposure_s) == pytest.approx(light.mean(), abs=1e-6)


@pytest.mark.parametrize("hz", [100.0, 120.0])
def test_whole_flickers_show_nothing_and_others_what_perception_expects(hz: float) -> None:
    begins = np.linspace(0.0, 1.0 / hz, 101)

    def swing(exposure_s: float) -> float:
        seen = [lamp_light(hz, 0.6, begin_s, exposure_s) for begin_s in begins]
        return (max(seen) - min(seen)) / 2.0

    assert max(swing(number / hz) for number in range(1, 17)) < 1e-12
    for exposure_s in (1e-3, 4e-3, 0.0137, 0.0234):
        assert swing(exposure_s) == pytest.approx(0.6 * flicker_shown(hz, exposure_s * 1e6), rel=1e-3)
