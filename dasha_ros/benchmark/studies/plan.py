"""From a study to its tasks: the product of what varies, without the combinations that mean nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dasha_ros.benchmark.methods import (
    ExposureMethod,
    Method,
    MethodError,
    exposure_methods,
    focus_methods,
)
from dasha_ros.benchmark.studies.model import Study
from dasha_ros.benchmark.studies.task import StudyError, Task
from dasha_ros.benchmark.studies.work import Carried, Playing, Rules, Training, play, train
from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import cache_root, first_cache, found_cache, not_looked_into
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.splits import splits, with_copies
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.settings import FocusSetting, focus_setting
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import load_preset


@dataclass(frozen=True)
class Plan:
    """The tasks of a study."""

    tasks: tuple[Task, ...]
    skipped: tuple[str, ...]
    """Combinations that mean nothing, and newer percept caches that can't be looked into; and why."""
    scene_sets: dict[str, str]
    """Names of the scene sets by the key of their cache."""


@dataclass(frozen=True)
class _Cast:
    """Who plays and learns, and in which settings."""

    settings: list[FocusSetting]
    exposure: ExposureMethod
    players: list[tuple[str, Method[Any, Any], bytes | None]]
    presets: list[Preset]


def cast_of(study: Study) -> _Cast:
    """What can be known of a study before there is a percept cache.

    Raises:
        StudyError: Two presets have the same name, two policies are the same, or A^H is a file.
        PresetError: No such preset, or one that can't be used.
        MethodError: No such policy.
        PolicyFileError: A learned policy can't be read.
        ValueError: No such setting.
    """
    settings = [focus_setting(name) for name in study.setting_names]
    if study.exposure_policy.endswith(".npz"):
        raise StudyError(f"exposure_policy: {study.exposure_policy} is a file: give a name")
    exposure = exposure_methods(study.exposure_policy)[0]
    players = [_player(study, name) for name in study.policies]
    _refuse_twice(study.policies, [method.digest for _, method, _ in players])
    presets = [load_preset(name) for name in study.presets]
    if len({preset.name for preset in presets}) < len(presets):
        raise StudyError(f"presets: two have the same name: {', '.join(preset.name for preset in presets)}")
    return _Cast(settings, exposure, players, presets)


def plan_of(study: Study, built: Mapping[str, Path] = MappingProxyType({})) -> Plan:
    """The tasks of a study, in the order of their rows.

    Args:
        study: The study.
        built: Folders of percept caches that were built for it, by the name of their scene set.

    Raises:
        StudyError: A split does not exist, no combination means anything, or see `cast_of`.
        CacheError: A percept cache is missing, unfinished or of another version.
        ValueError: See `cast_of`.
    """
    cast = cast_of(study)
    tasks: list[Task] = []
    skipped: dict[str, None] = {}
    scene_sets: dict[str, str] = {}
    for name in study.scene_sets:
        cache, passed_over = _cache(str(built.get(name, name)))
        skipped.update(dict.fromkeys(passed_over))
        if cache.meta.key in scene_sets:
            raise StudyError(
                f"scene_sets: {name} and {scene_sets[cache.meta.key]} are the same percept cache"
            )
        scene_sets[cache.meta.key] = name
        for split, seed in product(study.splits, study.seeds):
            tested = _tested(cache, split)
            fitting = [s.name for s in cast.settings if any(map(s.shows, tested))]
            for setting in cast.settings:
                if setting.name not in fitting:
                    skipped[f"{setting.name} on {name}, split {split}: no test view is {setting.view}"] = None
                elif setting.hand_over and not cast.exposure.may_play(split):
                    fitting.remove(setting.name)
                    skipped[
                        f"{setting.name} on split {split}: A^H {study.exposure_policy} learned from split "
                        f"{cast.exposure.split}'s photographs"
                    ] = None
            if study.agent == "focus" and not fitting:
                continue
            rules = Rules(
                study.agent, cache.meta.key, split, seed, study.episodes, tuple(fitting),
                study.exposure_policy, study.step_ms,
            )  # fmt: skip
            where = f"{name}, split {split}, seed {seed}"
            for title, method, content in cast.players:
                if not method.may_play(split):
                    skipped[
                        f"{title} on split {split}: it learned from split {method.split}'s photographs"
                    ] = None
                    continue
                carried = Carried(str(cache.path.absolute()), content)
                tasks.append(Task(f"{title} on {where}", play, Playing(rules, title, method.digest), carried))
            for preset in cast.presets:
                inputs = Training(rules, preset.model_dump(mode="json"), study.steps)
                title = f"{preset.name}, trained, on {where}"
                tasks.append(Task(title, train, inputs, Carried(str(cache.path.absolute()))))
    if not tasks:
        raise StudyError(f"the product is empty, nothing is left to do: {'; '.join(skipped)}")
    return Plan(tuple(tasks), tuple(skipped), scene_sets)


def _player(study: Study, name: str) -> tuple[str, Method[Any, Any], bytes | None]:
    """How rows call a policy, the method, and its file if it does not ship."""
    found: list[Any] = [*(focus_methods(name) if study.agent == "focus" else exposure_methods(name))]
    if not found:
        raise MethodError(f"{name!r} names no policy")
    method: Method[Any, Any] = found[0]
    if not name.endswith(".npz"):
        return name, method, None
    content = expanded(name).read_bytes()
    return f"{method.policy} {hashlib.sha256(content).hexdigest()[:6]}", method, content


def _refuse_twice(names: Sequence[str], digests: Sequence[str]) -> None:
    """Refuse a policy that is there twice under two names: a table would show one as two.

    Raises:
        StudyError: One is.
    """
    first: dict[str, str] = {}
    for name, digest in zip(names, digests, strict=True):
        if digest and first.setdefault(digest, name) != name:
            raise StudyError(f"policies: {first[digest]} and {name} are the same policy: leave one out")


def _tested(cache: PerceptCache, split: int) -> list[ViewInfo]:
    """The test views of a split, those under a disturbance included."""
    try:
        test = splits(cache.views, split + 1)[split].test
    except ValueError as error:
        raise StudyError(f"splits: {cache.path} has no split {split}: {error}") from error
    return [cache.views[number] for number in with_copies(cache.views, test)]


def _cache(name: str) -> tuple[PerceptCache, list[str]]:
    """The cache of a scene set, or of a folder; and a sentence for each newer one that can't be read."""
    folder = found_cache(name)
    # A folder that only happens to have the name of the scene set is not meant.
    if (folder / "meta.json").is_file() or "/" in name:
        return PerceptCache.open(folder, verify=False), []
    found, damaged = first_cache(_newest_first(), lambda meta: meta.scene_set == name)
    if found is not None:
        passed_over = [
            f"{error}; it may be a newer one of {name} than {found}, which is used" for error in damaged
        ]
        return PerceptCache.open(found, verify=False), passed_over
    raise CacheError(
        f"there is no percept cache of the scene set {name!r} below {cache_root()}, and no folder {name}: "
        f"make one with `dasha cache build {name}`, or name a folder{not_looked_into(damaged)}"
    )


def _newest_first() -> Iterator[Path]:
    metas = sorted(cache_root().glob("*/meta.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    return (meta.parent for meta in metas)
