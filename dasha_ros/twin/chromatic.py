"""Longitudinal chromatic aberration: red, green and blue focus at different distances."""

from __future__ import annotations

import math

CHROMATIC_DIOPTRES = 0.05
"""How much nearer the twin's lens focuses blue than red [1/m].

An assumption: no data sheet of the lens states it. A single lens of 25 mm, which has 40 D, would have 0.62 D
in crown glass (its power over Abbe's number, 64). An achromat brings red and blue together, but not quite. A
liquid lens of some dioptres before it is not corrected: at 4 D and Abbe's number 64, it adds 0.06 D.
"""
MOST_CHROMATIC_DIOPTRES = 1.0
"""More than any single lens of the twin's focal length."""
_SHARES = (-0.5, 0.0, 0.5)
"""Of red, green and blue."""


def foci_of_colours(focus_dioptres: float, chromatic_dioptres: float) -> tuple[float, float, float]:
    """Where red, green and blue focus [1/m].

    Args:
        focus_dioptres: Focus of the lens, which is that of green [1/m].
        chromatic_dioptres: How much nearer blue focuses than red, as with a simple lens; negative: how much
            farther.
    """
    red, green, blue = (focus_dioptres + share * chromatic_dioptres for share in _SHARES)
    return red, green, blue


def checked(chromatic_dioptres: float) -> float:
    """The same number.

    Raises:
        ValueError: It is not a number, or beyond `MOST_CHROMATIC_DIOPTRES`.
    """
    if not math.isfinite(chromatic_dioptres) or abs(chromatic_dioptres) > MOST_CHROMATIC_DIOPTRES:
        raise ValueError(
            f"chromatic_dioptres is {chromatic_dioptres!r}; it must lie in "
            f"{-MOST_CHROMATIC_DIOPTRES:g}..{MOST_CHROMATIC_DIOPTRES:g} D"
        )
    return chromatic_dioptres
