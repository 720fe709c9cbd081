"""Computes a percept cache in parallel, and resumes after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dasha_ros import __version__
from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.cell_content import EARLY, ENCODERS, LIGHT_FIELDS, CellReader
from dasha_ros.learning.dataset.cache.identity import DETECTOR, cache_key, pictures_of
from dasha_ros.learning.dataset.cache.layout import CELL, GREY, Field, Meta
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import cache_root
from dasha_ros.learning.dataset.cache.selection import chosen_views
from dasha_ros.learning.dataset.cache.store import CacheError, Store, locked, refuse_unknown_split
from dasha_ros.learning.dataset.cache.workers import Worker, WorkerPool
from dasha_ros.learning.dataset.scenes.description import SceneSet
from dasha_ros.learning.dataset.scenes.disturbed import disturbed
from dasha_ros.learning.dataset.scenes.planes import Unreadable
from dasha_ros.learning.dataset.scenes.summary import advice
from dasha_ros.optics.profiles import lens_model

Progress = Callable[[str, int, int], None]
"""Called with what is counted (``photographs``, ``composites``, ``verified views``, ``cells``), the number
done, and the total."""
PERIOD = 16
"""Every sixteenth view is computed first, then their neighbours, so that any part of a build is a fair
sample."""
ABSENT = Unreadable("is not on this machine: `dasha assets fetch --set training`, or give its path")


def build_cache(
    scene_set: SceneSet,
    path: str | Path | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    grids: Grids | None = None,
    *,
    split: int | None = None,
    encoders: Mapping[str, str] = ENCODERS,
    colour: bool = False,
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
        encoders: Field by field, which encoder's latent it holds; see `cell_content.encoders_for`.
        colour: Whether it holds what red and blue show; see `colour_camera.COLOUR_FIELDS`.

    Raises:
        CacheError: No photograph gives a view, the folder holds another cache, the disk is full,
            or another process builds the same one; or there is no such split.
        ModelError: A model is missing; the message says what to do.
    """
    report = progress or (lambda what, done, total: None)
    with (
        WorkerPool(workers, scene_set, encoders, colour=colour) as pool,
        begun(pool, path, grids or Grids(), report, split) as store,
    ):
        _compute(store, store.needed(split), pool, report)
        folder = store.folder
    return PerceptCache.open(folder, verify=False, split=split)


@contextmanager
def begun(
    pool: WorkerPool, path: str | Path | None, grids: Grids, report: Progress, split: int | None = None
) -> Iterator[Store]:
    """A cache whose views are known and whose space is reserved; other builders are kept away until the end.

    Args:
        pool: Of the scene set; finds the views where they are not known.
        path: The folder; see `build_cache`, also for the others.
        grids: Where cells lie.
        report: Called with the progress of finding views.
        split: Must exist; a cache is not begun for one that does not.

    Raises:
        CacheError: See `build_cache`.
        ModelError: A model is missing; the message says what to do.
    """
    scene_set, encoders = pool.scene_set, pool.encoders
    pictures, absent = pictures_of(scene_set)
    key = cache_key(scene_set, pictures, grids, encoders, colour=pool.colour)
    folder = expanded(path, CacheError) if path else cache_root() / f"{scene_set.name}-{key[:12]}"
    with locked(folder):
        if (folder / "meta.json").is_file():
            store = Store.load(folder)
            if store.meta.key != key:
                raise CacheError(
                    f"{folder} holds another cache (of scene set {store.meta.scene_set}, or of other "
                    "photographs, models, encoders, colour or number of disturbed copies): give another "
                    "folder, or delete it"
                )
        else:
            views, skipped = chosen_views(scene_set, pictures, pool, report)
            if not views:
                absent_too = {**dict.fromkeys(absent, ABSENT), **skipped}
                raise CacheError(f"scene set {scene_set.name} gives no view: {advice(absent_too)}")
            # A begun cache would be the newest, and everything that takes the newest would stumble over it.
            refuse_unknown_split(scene_set.name, views, split)
            views = [*views, *disturbed(views, scene_set.disturbed, scene_set.seed)]
            lens = lens_model()
            meta = Meta(
                key=key,
                scene_set=scene_set.name,
                pictures=pictures,
                skipped={**dict.fromkeys(absent, ABSENT), **skipped},
                encoders={**encoders, EARLY[0]: EARLY[1]},
                detector=DETECTOR,
                focal_length_mm=lens.focal_length_mm,
                f_number=lens.f_number,
                grids=grids,
                fields=_fields(CellReader(encoders, colour=pool.colour)),
                version=__version__,
            )
            store = Store.create(folder, meta, views)
        store.reserve()
        yield store


def _fields(reader: CellReader) -> dict[str, Field]:
    cells = {name: Field(CELL, shape, np.dtype(t).name) for name, (shape, t) in reader.shapes().items()}
    greys = {name: Field(GREY, shape, np.dtype(t).name) for name, (shape, t) in LIGHT_FIELDS.items()}
    return {**cells, **greys}


def in_turn(view: int) -> tuple[int, int]:
    """Sorts the numbers of views: every sixteenth first, then their neighbours; see `PERIOD`."""
    return view % PERIOD, view


def _compute(store: Store, needed: frozenset[int], pool: WorkerPool, report: Progress) -> None:
    arrays = store.arrays("r+")
    done = store.whole(arrays, needed, report)
    left = sorted(needed - done)
    sizes = [store.layout.part(CELL, i) for i in range(len(store.views))]
    cells = [part.stop - part.start for part in sizes]
    finished = sum(cells[i] for i in done)
    total = sum(cells[i] for i in needed)
    report("cells", finished, total)

    def count(_what: str, number: int, _total: int) -> None:
        report("cells", finished + sum(cells[i] for i in left[:number]), total)

    left.sort(key=in_turn)
    jobs = [(store.views[i], store.meta.grids) for i in left]
    for number, content in pool.run(Worker.view, jobs, count, "cells"):
        store.put(arrays, left[number], content)
