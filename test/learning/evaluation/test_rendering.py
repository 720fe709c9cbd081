"""Pictures of an evaluation are those of the camera: rendered, binned and looked up, they read the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dasha_ros.control.rig import Rig
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.rig import CachedRig
from dasha_ros.learning.dataset.scenes.scene_file import scene_text
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.arenas import CacheArena, TwinArena
from dasha_ros.learning.evaluation.evaluate import FocusTrial, play_focus
from dasha_ros.learning.evaluation.settings import focus_setting, focus_starts
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.learned.focus import LearnedFocus, shipped_focus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.twin.world import World

pytestmark = pytest.mark.slow

GRID = "efficientnet_lite0_grid"
LIGHT_LX = 100.0
BLURS_PX = (0.0, 10.0, 30.0, 50.0)
READING = 0.2
"""Greatest difference of a reading of blur, whose unit is about a natural logarithm of pixels."""
STARTS = 8


@pytest.fixture(scope="module")
def plus() -> LearnedFocus:
    return shipped_focus("plus")


@pytest.fixture(scope="module")
def perception() -> Perception:
    return Perception(GRID)


@pytest.fixture(scope="module")
def readings(
    motorcycle_cache: PerceptCache, perception: Perception, plus: LearnedFocus, tmp_path_factory
) -> dict[str, np.ndarray]:
    """The blur that `plus` reads from the whole frame, by the way in which pictures are made."""
    info, scene = motorcycle_cache.views[0], motorcycle_cache.scenes[0]
    path = tmp_path_factory.mktemp("scene") / "view.yaml"
    path.write_text(scene_text(scene), encoding="utf-8")
    world = World(str(path), LIGHT_LX, (1.0,))
    looked_up = replace(world, scene=info.name)
    exposure_us = float(round(info.mid_grey_lux_seconds / LIGHT_LX * 1e6))
    rigs: dict[str, Rig] = {
        "full": TwinRig(perception, world, exposure_us=exposure_us),
        "binned": TwinRig(perception, world, width=1024, height=544, exposure_us=exposure_us, binned=True),
        "working size": TwinRig(perception, world, width=640, height=340, exposure_us=exposure_us),
        "cached": CachedRig(motorcycle_cache, looked_up, exposure_us=exposure_us, latent="latent_grid"),
    }
    return {
        name: np.array([read(rig, plus, info.label, blur) for blur in BLURS_PX]) for name, rig in rigs.items()
    }


def read(rig: Rig, plus: LearnedFocus, label: str, blur_px: float) -> float:
    lens = rig.lens
    # Nearer, because a lens can't focus that far beyond infinity.
    percept = rig.move(lens.position(1.0 + blur_px / lens.blur_px(1.0, 0.0)))
    task = FocusTask(lens, frozenset({label}))
    return float(plus.extractor.read(percept, task, np.full(4, np.nan)).frame[0, 0])


@pytest.mark.parametrize("made", ["binned", "cached"])
def test_a_blur_reads_as_in_the_full_frame(readings: dict[str, np.ndarray], made: str) -> None:
    assert np.abs(readings[made] - readings["full"]).max() <= READING, readings


def test_the_noise_of_single_pixels_would_be_noticed(readings: dict[str, np.ndarray]) -> None:
    assert np.abs(readings["working size"] - readings["full"]).max() > 2 * READING, readings


@pytest.fixture(scope="module")
def trials(
    motorcycle_cache: PerceptCache, perception: Perception, plus: LearnedFocus
) -> dict[str, list[FocusTrial]]:
    """`plus` from the same starts, rendered and looked up."""
    view = View(motorcycle_cache.views[0], motorcycle_cache.scenes[0])
    twin, cached = TwinArena([view], perception), CacheArena(motorcycle_cache)
    starts = focus_starts(
        focus_setting("planes_wide"),
        twin.views,
        [0],
        per_view=STARTS,
        seed=3,
        lens=twin.lens,
        table=twin.table,
    )
    return {
        "rendered": [play_focus(twin, plus, start, encoder=GRID) for start in starts],
        "looked up": [play_focus(cached, plus, start, encoder=GRID) for start in starts],
    }


def test_a_learned_policy_does_the_same_rendered_and_looked_up(trials: dict[str, list[FocusTrial]]) -> None:
    for mine, theirs in zip(trials["rendered"], trials["looked up"], strict=True):
        assert (mine.code, theirs.code) == (ErrorCode.NONE, ErrorCode.NONE)
        assert mine.focused
        assert theirs.focused
        assert mine.blurs_px[0] == pytest.approx(theirs.blurs_px[0], abs=0.07)  # a step of the board
    means = {name: np.mean([t.moves_settled for t in each]) for name, each in trials.items()}
    assert means["rendered"] == pytest.approx(means["looked up"], abs=0.75)
