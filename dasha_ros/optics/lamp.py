"""The light of lamps on the mains, as an exposure collects it."""

from __future__ import annotations

import numpy as np


def lamp_light(hz: float, depth: float, begin_s: float, exposure_s: float) -> float:
    """Mean light of an exposure, relative to the mean light of the lamp.

    The lamp's light is 1 + depth cos(2 pi hz t): the first harmonic, which filaments and most LED lamps come
    near. Its mean over an exposure of length T around t is 1 + depth sinc(hz T) cos(2 pi hz t), with
    sinc(x) = sin(pi x) / (pi x). So an exposure of whole flickers shows nothing, and a short one everything.

    Args:
        hz: How often the lamp is brightest in a second: twice the frequency of the mains [Hz].
        depth: Amplitude as a share of the mean light, 0..1.
        begin_s: When the exposure begins, on the clock by which the lamp is brightest at 0 [s].
        exposure_s: How long it takes [s].
    """
    middle = 2.0 * np.pi * hz * (begin_s + exposure_s / 2.0)
    return float(1.0 + depth * np.sinc(hz * exposure_s) * np.cos(middle))
