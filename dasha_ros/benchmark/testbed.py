"""Where a comparison is played: the test views of a percept cache, or a folder of photographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dasha_ros.benchmark.methods import (
    ExposureMethod,
    FocusMethod,
    Knowledge,
    exposure_methods,
    focus_methods,
    perception_for,
    policy_infos,
)
from dasha_ros.benchmark.study import Part
from dasha_ros.files.errors import shown
from dasha_ros.learning.dataset.cache.identity import check_pictures, pictures_named
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import found_cache
from dasha_ros.learning.dataset.scenes.folder_views import Report, folder_views
from dasha_ros.learning.dataset.scenes.splits import splits as make_splits
from dasha_ros.learning.dataset.scenes.splits import with_copies
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
    key: str = ""
    """Of the percept cache that it shows; empty: of none."""


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
        path: Path of the percept cache, or its name where caches are kept.
        agent: Whose policies play.
        names: The policies; rendered views are read with their encoders.
        splits: How many.
        rendered: Render the views and read them with the real perception.
        rivals: Folder below which `learning.training.rivals` wrote networks; those of each split are taken.
            Without, the shipped one.
        exposure: Name of the A^H policy that plays before A^L, if one does.

    Raises:
        CacheError: The cache can't be used, or photographs that are to be rendered have changed.
        ValueError: Its views can't be split so often.
        QNetworkError: A network can't be read.
        PolicyFileError: A learned policy can't be read.
        ModelError: A model is missing.
    """
    cache = PerceptCache.open(found_cache(path))
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
        numbers = split.test.tolist() if rendered else with_copies(cache.views, split.test)
        parts.append(Part(numbers, split.number, knowledge, cache.meta.pictures))
    views = tuple(View(info, scene) for info, scene in zip(cache.views, cache.scenes, strict=True))
    arena: Arena = CacheArena(cache)
    if rendered:
        check_pictures(cache)
        arena = TwinArena(views, perception_for(names, agent, exposure=exposure))
    return Testbed(arena, tuple(parts), views=views, key=cache.meta.key)


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
    pictures = pictures_named({photo for view in views for photo in view.info.photographs})
    arena = TwinArena(views, perception)
    part = Part(range(len(views)), pictures=pictures)
    return Testbed(arena, (part,), skipped, len(pictures), tuple(views))


def not_shown(
    testbed: Testbed, agent: Agent, names: Sequence[str], *, exposure: str | None = None
) -> Iterator[str]:
    """A sentence for each photograph on which policies do not play, because they learned from it.

    And one for each policy of which nothing says what it learned from.

    Args:
        testbed: Where they play.
        agent: Whose policies they are.
        names: The policies.
        exposure: Name of the A^H policy that plays before A^L, if one does.

    Raises:
        MethodError: No method has the name.
        PolicyFileError: A learned policy can't be read.
        QNetworkError: The network of a rival can't be read.
        UnknownPolicyError: No A^H has the name.
    """
    knowing: dict[str, dict[str, None]] = {}
    players: list[tuple[str, Agent]] = [(name, agent) for name in names]
    if exposure:
        players.append((exposure, "exposure"))
    for name, side in players:
        made_on = {info.made.get("cache_key") for info in policy_infos([name], side)}
        methods = [(_method(name, side, part.knowledge[0]), part) for part in testbed.parts]
        if testbed.key not in made_on and any(method.learned_from is None for method, _ in methods):
            remedy = "put it back into the folder of its run, where run.json names them"
            if name == "ten_dqn":
                remedy = "give a network of your own with --rivals"
            yield (
                f"{name} does not say from which photographs it learned, so some of these may be among them: "
                f"{remedy}"
            )
        for method, part in methods:
            if method.may_play(part.split):
                for photo in part.known_to(testbed.arena.views, method):
                    knowing.setdefault(photo, {})[f"A^H {name}" if side == "exposure" else name] = None
    for photo, who in knowing.items():
        yield f"{shown(photo)} is not shown to {' and '.join(who)}, which learned from it"


def _method(name: str, agent: Agent, known: Knowledge) -> FocusMethod | ExposureMethod:
    return (focus_methods(name, knowledge=known) if agent == "focus" else exposure_methods(name))[0]
