"""Where a comparison is played: the test views of a percept cache, or a folder of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dasha_ros.benchmark.methods import Knowledge, perception_for
from dasha_ros.benchmark.study import Part
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes.folder_views import Report, folder_views
from dasha_ros.learning.dataset.scenes.splits import copies_of
from dasha_ros.learning.dataset.scenes.splits import splits as make_splits
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.arenas import Arena, CacheArena, TwinArena
from dasha_ros.learning.training.rivals import fit_contrast_profile
from dasha_ros.policies.learned.policy_file import Agent
from dasha_ros.policies.rivals.q_network import QNetwork


@dataclass(frozen=True)
class Testbed:
    """An arena, and which of its views to use."""

    arena: Arena
    parts: tuple[Part, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    """Files of a folder that give no view, and why."""
    used: int = 0
    """Pictures of a folder that give one."""
    views: tuple[View, ...] = ()
    """Its views with their scenes."""


def cache_testbed(
    path: Path,
    agent: Agent,
    names: Sequence[str],
    *,
    splits: int = 3,
    rendered: bool = False,
    rivals: Path | None = None,
    exposure: str | None = None,
) -> Testbed:
    """The test views of every split of a cache; rivals know the split's training views alone.

    Args:
        path: Path of the percept cache.
        agent: Whose policies play.
        names: The policies; rendered views are read with their encoders.
        splits: How many.
        rendered: Render the views and read them with the real perception.
        rivals: Folder below which `learning.training.rivals` wrote networks; those of each split are taken.
            Without, the shipped one.
        exposure: Name of the A^H policy that plays before A^L, if one does.

    Raises:
        CacheError: The cache can't be used.
        ValueError: Its views can't be split so often.
        QNetworkError: A network can't be read.
        PolicyFileError: A learned policy can't be read.
        ModelError: A model is missing.
    """
    cache = PerceptCache.open(path, verify=False)
    networks = [QNetwork.load(file) for file in sorted(rivals.rglob("ten_dqn.npz"))] if rivals else []
    parts = []
    for split in make_splits(cache.views, splits):
        train = split.train.tolist()
        profile = None
        if any(cache.views[number].kind == "plane" for number in train):
            profile = fit_contrast_profile(cache, train, f"{cache.meta.scene_set}, split {split.number}")
        own = [network for network in networks if network.made.get("split") == split.number]
        knowledge = tuple(Knowledge(profile, network) for network in own) or (Knowledge(profile),)
        # The twin renders no disturbances.
        copies = [] if rendered else copies_of(cache.views, split.test).tolist()
        parts.append(Part([*split.test.tolist(), *copies], split.number, knowledge))
    views = tuple(View(info, scene) for info, scene in zip(cache.views, cache.scenes, strict=True))
    arena: Arena = CacheArena(cache)
    if rendered:
        arena = TwinArena(views, perception_for(names, agent, exposure=exposure))
    return Testbed(arena, tuple(parts), views=views)


def folder_testbed(
    folder: Path,
    agent: Agent,
    names: Sequence[str],
    *,
    composites: int = 0,
    seed: int = 0,
    exposure: str | None = None,
    report: Report | None = None,
) -> Testbed:
    """All views of a folder of photographs, rendered; rivals know what ships.

    Args:
        folder: With photographs.
        agent: Whose policies play.
        names: The policies; the views are read with their encoders.
        composites: Two-depth views to make.
        seed: Seed of the composites.
        exposure: Name of the A^H policy that plays before A^L, if one does.
        report: Told how far the search for objects is.

    Raises:
        SceneSetError: No folder, no picture, or no picture with an object that the detector finds.
        PolicyFileError: A learned policy can't be read.
        ModelError: A model is missing.
    """
    perception = perception_for(names, agent, exposure=exposure)
    views, skipped = folder_views(folder, composites, seed=seed, report=report)
    used = len({photo for view in views for photo in view.info.photographs})
    arena = TwinArena(views, perception)
    return Testbed(arena, (Part(range(len(views))),), skipped, used, tuple(views))
