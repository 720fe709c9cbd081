"""The order of a goal's parts: exposure, focus, and the looks at the object's own light.

One process plays it over a rig (`control.goal`), the focus server over the agents' actions.
"""

from __future__ import annotations

from typing import Protocol

from dasha_ros.policies.object_exposure import BRIGHT_EV, SHADOW_LOOKS, SHADOWS_EV, Hidden
from dasha_ros.policies.outcome import ErrorCode

Ended = tuple[ErrorCode, str]
"""How a part ended, and what happened and what to do; ``NONE`` and empty if it ended well."""


class Parts(Protocol):
    """The parts of one goal. They tell how they ended, and raise nothing."""

    def expose(self) -> Ended:
        """A^H exposes the picture, and then the object if it is seen."""
        ...

    def focus(self) -> Ended:
        """A^L looks for the object."""
        ...

    @property
    def hidden(self) -> Hidden:
        """What the pictures of the exposure in force hide."""
        ...

    @property
    def may_search(self) -> bool:
        """Whether the goal has steps left for another search."""
        ...

    def shift(self, ev: float) -> Ended:
        """A^H makes the picture brighter by ``ev`` [EV], and then exposes the object if it is seen."""
        ...

    def is_off(self) -> bool:
        """Whether the object that A^L found is too dark or too bright, and nothing was tried in vain."""
        ...

    def meter(self) -> Ended:
        """A^H exposes the object that A^L found."""
        ...

    def hold(self) -> Ended:
        """A^L holds the object that it found, if that is wanted and was not done yet."""
        ...


def pursue(parts: Parts, *, meters: bool) -> Ended:
    """Play the parts until the object is found, or cannot be.

    If nothing is found, the picture may hide it: A^L looks again where the shadows show, and where the
    bright parts do, at most once each.

    Args:
        parts: The goal's.
        meters: Whether the object's own light counts.
    """
    ended = parts.expose()
    if ended[0] is not ErrorCode.NONE:
        return ended
    ended = parts.focus()
    if not meters:
        return ended
    if ended[0] is ErrorCode.OBJECT_NOT_FOUND:
        ended = _search_hidden(parts, ended)
    if ended[0] is ErrorCode.NONE and parts.is_off():
        ended = parts.meter()
    return parts.hold() if ended[0] is ErrorCode.NONE else ended


def _search_hidden(parts: Parts, ended: Ended) -> Ended:
    shifted, looks, is_bright = 0.0, 0, parts.hidden.in_bright_parts
    while parts.may_search:
        if looks < SHADOW_LOOKS and parts.hidden.in_shadows:
            looks, ev = looks + 1, shifted + SHADOWS_EV
        elif is_bright:
            looks, ev, is_bright = SHADOW_LOOKS, BRIGHT_EV, False
        else:
            break
        lit = parts.shift(ev - shifted)
        if lit[0] is not ErrorCode.NONE:
            return lit
        shifted, again = ev, parts.focus()
        if again[0] is ErrorCode.STEPS_EXHAUSTED:
            # The first search was whole.
            break
        ended = again
        if ended[0] is not ErrorCode.OBJECT_NOT_FOUND:
            break
    return ended
