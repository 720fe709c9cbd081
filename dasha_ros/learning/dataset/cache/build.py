"""Computes a percept cache in parallel, and resumes after a kill."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from dasha_ros import __version__
from dasha_ros.assets import models
from dasha_ros.assets.catalogue import asset, sha256_of
from dasha_ros.files.errors import FileError
from dasha_ros.files.regular import check_regular
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.cell_content import EARLY, ENCODERS, LIGHT_FIELDS, CellReader
from dasha_ros.learning.dataset.cache.layout import CELL, GREY, Field, Meta
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import cache_root
from dasha_ros.learning.dataset.cache.store import CacheError, Store, locked
from dasha_ros.learning.dataset.cache.workers import Worker, WorkerPool
from dasha_ros.learning.dataset.scenes.description import SceneSet
from dasha_ros.learning.dataset.scenes.planes import Unreadable
from dasha_ros.learning.dataset.scenes.summary import advice
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import Sensor

Progress = Callable[[str, int, int], None]
"""Called with what is counted (``photographs``, ``composites``, ``cells``), the number done, and the
total."""
DETECTOR = "yolov3_tiny"
ABSENT = Unreadable("is not on this machine: `dasha assets fetch --set training`, or give its path")
PERIOD = 16
"""Every sixteenth view is computed first, then their neighbours, so that any part of a build is a fair
sample."""
CONTENT = 2
"""Version of the content. Raise it when renderer, sensor or perception change a percept; caches are then
rebuilt."""
_MODELS = (
    models.YOLOV3_TINY, models.EFFICIENTNET_LITE0, models.EFFICIENTNET_LITE0_GRID, models.BRISQUE
)  # fmt: skip


def build_cache(
    scene_set: SceneSet,
    path: str | Path | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    grids: Grids | None = None,
    *,
    split: int | None = None,
) -> PerceptCache:
    """Compute a cache, or what is missing of it, and open it.

    Args:
        scene_set: Describes the views.
        path: The folder; by default one below `cache_root`, named after set and content.
        workers: Processes, one thread each; 1 computes in this process.
        progress: Called with the progress.
        grids: Where cells lie; the default ones if left out.
        split: Compute only the views that training on this split reads: four of five folds. Another call
            without it computes the rest.

    Raises:
        CacheError: No photograph gives a view, the folder holds another cache, the disk is full,
            or another process builds the same one; or there is no such split.
        ModelError: A model is missing; the message says what to do.
    """
    report = progress or (lambda what, done, total: None)
    grids = grids or Grids()
    pictures, absent = _pictures(scene_set)
    key = _key(scene_set, pictures, grids)
    folder = Path(path).expanduser() if path else cache_root() / f"{scene_set.name}-{key[:12]}"
    with locked(folder), WorkerPool(workers, scene_set) as pool:
        if (folder / "meta.json").is_file():
            store = Store.load(folder)
            if store.meta.key != key:
                raise CacheError(
                    f"{folder} holds another cache (of scene set {store.meta.scene_set}, or of other "
                    "photographs or models): give another folder, or delete it"
                )
        else:
            views, skipped = _select(scene_set, pool, report)
            if not views:
                absent_too = {**dict.fromkeys(absent, ABSENT), **skipped}
                raise CacheError(f"scene set {scene_set.name} gives no view: {advice(absent_too)}")
            lens = lens_model()
            meta = Meta(
                key=key,
                scene_set=scene_set.name,
                pictures=pictures,
                skipped={**dict.fromkeys(absent, ABSENT), **skipped},
                encoders={**ENCODERS, EARLY[0]: EARLY[1]},
                detector=DETECTOR,
                focal_length_mm=lens.focal_length_mm,
                f_number=lens.f_number,
                grids=grids,
                fields=_fields(CellReader()),
                version=__version__,
            )
            store = Store.create(folder, meta, views)
        store.reserve()
        _compute(store, store.needed(split), pool, report)
    return PerceptCache.open(folder, verify=False, split=split)


def _pictures(scene_set: SceneSet) -> tuple[dict[str, str], list[str]]:
    """SHA-256 of every photograph of a set, and the names of those that are absent."""
    patterns = [*(scene_set.planes.photographs if scene_set.planes else ())]
    if scene_set.composites:
        patterns += [*scene_set.composites.objects, *scene_set.composites.backgrounds]
    here, absent = scene_set.pictures(patterns)
    return {name: _digest(_path(name)) for name in here}, absent


def _digest(path: Path) -> str:
    """Digest of a file; of an unreadable one the kind of error, because it is skipped for this."""
    try:
        check_regular(path)
        return sha256_of(path)
    except (FileError, OSError) as error:
        return type(error).__name__


def _path(name: str) -> Path:
    return Path(name) if Path(name).is_absolute() else asset(name)


def _key(scene_set: SceneSet, pictures: dict[str, str], grids: Grids) -> str:
    lens = lens_model()
    parts = {
        "content": CONTENT,
        "scene_set": scene_set.model_dump(mode="json", exclude={"name", "folder", "description", "left_out"}),
        # By content, so that the same pictures in another folder make the same cache.
        "pictures": sorted((Path(name).name, digest) for name, digest in pictures.items()),
        "models": {name: sha256_of(asset(name)) for name in _MODELS},
        "encoders": dict(ENCODERS),
        "detector": DETECTOR,
        "sensor": asdict(Sensor()),
        "lens": [lens.focal_length_mm, lens.f_number],
        "grids": asdict(grids),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _fields(reader: CellReader) -> dict[str, Field]:
    cells = {name: Field(CELL, shape, np.dtype(t).name) for name, (shape, t) in reader.shapes().items()}
    greys = {name: Field(GREY, shape, np.dtype(t).name) for name, (shape, t) in LIGHT_FIELDS.items()}
    return {**cells, **greys}


def _select(scene_set: SceneSet, pool: WorkerPool, report: Progress) -> tuple[list[View], dict[str, str]]:
    """The views of a set, and why some photographs gave none."""
    views: list[View] = []
    skipped: dict[str, str] = {}
    if scene_set.planes:
        names = scene_set.pictures(scene_set.planes.photographs)[0]
        jobs = [(name, 0) for name in names]
        for number, (made, why_not) in enumerate(pool.run(Worker.planes, jobs, report, "photographs")):
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
        for made, unused in pool.run(Worker.composites, parts, report, "composites", parts=rules.count):
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


def _compute(store: Store, needed: frozenset[int], pool: WorkerPool, report: Progress) -> None:
    done = needed & store.done().keys()
    left = sorted(needed - done)
    sizes = [store.layout.part(CELL, i) for i in range(len(store.views))]
    cells = [part.stop - part.start for part in sizes]
    finished = sum(cells[i] for i in done)
    total = sum(cells[i] for i in needed)
    report("cells", finished, total)

    def count(_what: str, number: int, _total: int) -> None:
        report("cells", finished + sum(cells[i] for i in left[:number]), total)

    left.sort(key=lambda i: i % PERIOD)
    jobs = [(str(store.folder), i) for i in left]
    for number, crc in enumerate(pool.run(Worker.view, jobs, count, "cells")):
        store.mark_done(left[number], crc)
