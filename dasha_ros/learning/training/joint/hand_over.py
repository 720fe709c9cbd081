"""The exposures that A^H hands over: A^L's episodes begin with them in joint training."""

from __future__ import annotations

import numpy as np

from dasha_ros.learning.dataset.cache.cells import Array
from dasha_ros.learning.envs.exposure_batch import ExposureBatch
from dasha_ros.learning.envs.schedule import drawn
from dasha_ros.learning.fitting.exposure import ExposureLookup
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.score import play_exposure
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.policies.learned.network import PolicyNet


def hand_over(
    net: PolicyNet,
    table: ExposureLookup,
    exposures: ExposureTable,
    preset: Preset,
    *,
    draws: int = 64,
    seed: int = 0,
) -> Array:
    """The exposures that a deployed A^H hands over before every view.

    Episodes in which A^H fails are left out, because A^L never acts after them. If all episodes of a
    view fail, their last exposures are used.

    Args:
        net: A^H's network.
        table: What it sees.
        exposures: What it can command.
        preset: Light, start and stop rule.
        draws: Number of episodes for each view.
        seed: Seed of the draws.

    Returns:
        Exposure relative to mid grey [EV], shape (views, draws).
    """
    rng, preset = np.random.default_rng(seed), drawn(preset)
    views = np.repeat(np.arange(len(table.views)), draws)
    everyone = np.arange(len(views))
    batch = ExposureBatch(table, exposures, preset, views=views, batch=len(views), rng=rng)
    batch.worlds.place(everyone, views, rng)
    pictures = batch.look(everyone)
    batch.episodes.begin(everyone, pictures)
    handed = play_exposure(net, batch, pictures, exposures=exposures, preset=preset, rng=rng).handed_over
    left = batch.worlds.ev(everyone).reshape(-1, draws)
    return np.stack(
        [_full(ev[mine], ev, rng) for ev, mine in zip(left, handed.reshape(-1, draws), strict=True)]
    )


def _full(ev: Array, instead: Array, rng: np.random.Generator) -> Array:
    """Fill ``ev`` up to the length of ``instead`` by repeating some of its exposures."""
    if not len(ev):
        return instead
    return np.concatenate([ev, rng.choice(ev, len(instead) - len(ev))])
