"""The parts there are: every module of ``parts`` that has a `Part` named ``PART``."""

from __future__ import annotations

import importlib
import pkgutil

from dasha_ros.benchmark.paper import parts as folder
from dasha_ros.benchmark.paper.part import Part

PAPER = {
    "Table 1": "time and steps of autofocus beside the phase shift method and TEN",
    "Figure 3": "histograms of the exposure that A^H sets, and of built-in auto exposure",
    "Figure 4": "learning curves of the competing methods",
    "Figure 5": "a strip of pictures whose detection certainty rises",
    "Figure 6": "three and four objects 0.5 m apart, all and one by its label",
    "Figure 7": "PCA of the latents over exposure and focus",
    "Figure 8": "lens position and exposure over light and aperture",
    "Figure 9": "pictures before and after, indoors and outdoors",
}
"""Results of the paper; figures 1 and 2 are drawings."""


def parts() -> list[Part]:
    """All parts, in the order of the page."""
    names = (module.name for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."))
    found: list[Part] = [importlib.import_module(name).PART for name in names]
    return sorted(found, key=lambda part: (part.place, part.name))


def chosen(names: list[str] | None) -> list[Part]:
    """The parts of some names; all if there are none.

    Raises:
        ValueError: No part has a name; the message lists the known ones.
    """
    every = parts()
    known = [part.name for part in every]
    for name in names or []:
        if name not in known:
            raise ValueError(f"no part {name!r} of the paper's report; there are: {', '.join(known)}")
    return [part for part in every if not names or part.name in names]
