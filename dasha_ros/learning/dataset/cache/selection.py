"""Which views of a scene set are kept: those in which the detector finds something to look for.

Choosing reads every photograph in several framings, and takes a sixth of the time of a whole cache. So the
choice of a set that ships is kept beside it, in ``scenesets/chosen``. It counts as long as nothing has
changed that it depends on. ``python -m dasha_ros.learning.dataset.cache.selection CACHE`` writes it anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np

from dasha_ros.files.documents import read_json
from dasha_ros.files.writing import write_whole
from dasha_ros.learning.dataset.cache.cell_content import encoded
from dasha_ros.learning.dataset.cache.identity import cache_key, pictures_of, selection_key
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.cache.workers import Worker, WorkerPool
from dasha_ros.learning.dataset.scenes.description import SceneSet, SceneSetError, load_scene_set
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.system.paths import config_dir

Report = Callable[[str, int, int], None]


def chosen_views(
    scene_set: SceneSet, pictures: Mapping[str, str], pool: WorkerPool, report: Report
) -> tuple[list[View], dict[str, str]]:
    """The views of a set, and why some photographs gave none.

    Args:
        scene_set: The set.
        pictures: From `identity.pictures_of`.
        pool: Works where the choice is not known.
        report: Told how far it is.

    Raises:
        CacheError: A process of the pool was killed, or the choice that ships is damaged.
    """
    return known_choice(scene_set, pictures) or _select(scene_set, pool, report)


def known_choice(
    scene_set: SceneSet, pictures: Mapping[str, str]
) -> tuple[list[View], dict[str, str]] | None:
    """The choice that ships with a set; ``None`` if there is none, or something it depends on has changed.

    Raises:
        CacheError: The file is damaged.
    """
    path = choice_file(scene_set.name)
    if not path.is_file():
        return None
    try:
        held = read_json(path)
        if held["key"] != selection_key(scene_set, pictures):
            return None
        views = [View.from_dict(_in_folder(view, scene_set.folder)) for view in held["views"]]
        return views, {str(name): str(why) for name, why in held["skipped"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise CacheError(f"{path} is damaged ({error}): install the package again") from error


def choice_file(name: str) -> Path:
    """Where the choice of a set that ships is kept."""
    return config_dir() / "scenesets" / "chosen" / f"{name}.json"


def write_choice(folder: Path, path: Path | None = None) -> Path:
    """Write down the views of a cache as the choice of its scene set; returns the file.

    Args:
        folder: The cache; its cells need not be complete.
        path: The file; left out: `choice_file`.

    Raises:
        CacheError: No cache, or one whose set or photographs are others by now.
        SceneSetError: No set that ships has the cache's name.
        OSError: The file can't be written.
    """
    store = Store.load(folder)
    scene_set = load_scene_set(store.meta.scene_set)
    pictures, absent = pictures_of(scene_set)
    encoders = encoded(store.meta.encoders)
    key = cache_key(scene_set, pictures, store.meta.grids, encoders, colour=store.meta.has_colour)
    if absent or key != store.meta.key:
        raise CacheError(f"{folder} is not of today's scene set {scene_set.name}: build that cache first")
    views = ",\n".join(json.dumps(_in_folder(view.as_dict(), None)) for view in store.views)
    head = json.dumps({"key": selection_key(scene_set, pictures), "skipped": store.meta.skipped})
    # A view a line, so that a changed view changes one line.
    text = f'{head[:-1]}, "views": [\n{views}\n]}}\n'
    out = path or choice_file(scene_set.name)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text)
    return out


def _in_folder(view: dict[str, object], folder: Path | None) -> dict[str, object]:
    """A view whose scene looks for pictures in a folder; ``None``: the file does not say in which."""
    scene = view["scene"]
    assert isinstance(scene, dict)
    rest = {key: value for key, value in scene.items() if key != "folder"}
    return {**view, "scene": rest if folder is None else {**rest, "folder": str(folder)}}


def _select(scene_set: SceneSet, pool: WorkerPool, report: Report) -> tuple[list[View], dict[str, str]]:
    """The views of a set, and why some photographs gave none."""
    views: list[View] = []
    skipped: dict[str, str] = {}
    if scene_set.planes:
        names = scene_set.pictures(scene_set.planes.photographs)[0]
        jobs = [(name, 0) for name in names]
        found = pool.run(Worker.planes, jobs, report, "photographs")
        for number, (made, why_not) in sorted(found, key=itemgetter(0)):
            views += made
            if why_not:
                skipped[names[number]] = why_not
    folds = _folds(scene_set, list(dict.fromkeys(view.info.photographs[0] for view in views)))
    views = [replace(view, info=replace(view.info, fold=folds[view.info.photographs[0]])) for view in views]
    if rules := scene_set.composites:
        objects = scene_set.pictures(rules.objects)[0]
        backgrounds = scene_set.pictures(rules.backgrounds)[0]
        ends = [rules.count * i // scene_set.folds for i in range(scene_set.folds + 1)]
        parts = [
            (i, end - begin, [n for n in objects if folds[n] == i], [n for n in backgrounds if folds[n] == i])
            for i, (begin, end) in enumerate(pairwise(ends))
        ]
        composed = pool.run(Worker.composites, parts, report, "composites", parts=rules.count)
        for _, (made, unused) in sorted(composed, key=itemgetter(0)):
            views += made
            for name, why in unused.items():
                skipped.setdefault(name, why)
    used = {photo for view in views for photo in view.info.photographs}
    return _with_unique_names(views), {name: why for name, why in skipped.items() if name not in used}


def _with_unique_names(views: list[View]) -> list[View]:
    """Make names unique: pictures in two folders may share theirs."""
    seen: Counter[str] = Counter()
    named = []
    for view in views:
        seen[view.info.name] += 1
        name = view.info.name + (f"~{count}" if (count := seen[view.info.name]) > 1 else "")
        scene = view.scene.model_copy(update={"name": name})
        named.append(View(replace(view.info, name=name), scene))
    return named


def _folds(scene_set: SceneSet, planes: list[str]) -> dict[str, int]:
    """The fold of every photograph; each kind of use is spread evenly over the folds."""
    rng = np.random.default_rng(scene_set.seed)
    groups = [planes]
    if rules := scene_set.composites:
        groups += [scene_set.pictures(patterns)[0] for patterns in (rules.objects, rules.backgrounds)]
    folds: dict[str, int] = {}
    for group in groups:
        new = [name for name in group if name not in folds]
        order = rng.permutation(len(new))
        folds.update({new[i]: place % scene_set.folds for place, i in enumerate(order)})
    return folds


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the choice of a cache."""
    parser = argparse.ArgumentParser(
        prog="python -m dasha_ros.learning.dataset.cache.selection",
        description="Keep the views of a cache as those of its scene set.",
    )
    parser.add_argument("cache", type=Path, help="folder of the cache of a scene set that ships")
    given = parser.parse_args(arguments)
    try:
        print(f"wrote {write_choice(given.cache)}")
    except (CacheError, SceneSetError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"the choice can't be written: {error}")


if __name__ == "__main__":
    main()
