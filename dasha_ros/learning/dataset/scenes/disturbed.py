"""Copies of views under random disturbances, to learn from what the plain twin does not show."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.twin.stress.disturbance import Disturbance


def disturbed(views: Iterable[View], copies: int, seed: int = 0) -> list[View]:
    """Copies of plain views, each under a disturbance of its own.

    A view's copies depend on its name, their number and the seed only.

    Args:
        views: Plain views.
        copies: How many of each.
        seed: Of the draws.
    """
    return [_copy(view, number, seed) for view in views for number in range(copies)]


def _copy(view: View, number: int, seed: int) -> View:
    drawn = Disturbance.drawn(np.random.default_rng([zlib.crc32(view.info.name.encode()), number, seed]))
    name = f"{view.info.name}/disturbed-{number}"
    info = replace(
        view.info,
        name=name,
        disturbance=drawn,
        mid_grey_lux_seconds=view.info.mid_grey_lux_seconds * 2.0**drawn.mid_grey_ev,
    )
    return View(info, view.scene.model_copy(update={"name": name}))
