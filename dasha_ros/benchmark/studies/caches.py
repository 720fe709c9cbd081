"""The cells of percept caches as tasks of a study: a worker computes those of a view, the driver writes them.

The cache itself keeps the results: its key is the digest of all that its cells depend on, and its journal
says which views are there. So a study goes on with what `dasha cache build` began, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from dasha_ros.benchmark.studies.driver import Summary, drive
from dasha_ros.benchmark.studies.pools.pool import Pool
from dasha_ros.benchmark.studies.task import Result, StudyError, Task
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import begun, in_turn
from dasha_ros.learning.dataset.cache.cell_content import ENCODERS, CellReader, encoded, view_cells
from dasha_ros.learning.dataset.cache.identity import models_of, pictures_named
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.cache.workers import WorkerPool
from dasha_ros.learning.dataset.scenes.description import SceneSet
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.optics.binned import HalfSizeReadout


@dataclass(frozen=True)
class ViewOfCache:
    """The cells of one view."""

    cache: str
    """Key of the percept cache: a digest of photographs, models, optics and grids."""
    view: int
    name: str


@dataclass(frozen=True)
class Given:
    """What travels to the worker; the key of the cache already tells it."""

    view: dict[str, Any]
    """As `View.as_dict`."""
    grids: Grids
    encoders: dict[str, str]
    files: dict[str, str]
    """Digests of the view's photographs and of the models, by name."""


def compute(inputs: ViewOfCache, given: Given) -> Result:
    """Draw and read all cells of a view.

    Raises:
        StudyError: A photograph or a model of this machine is another one than the driver's.
        AssetMissing: A photograph is not on this machine.
        ModelError: A model is not on this machine.
    """
    # Sums of several threads depend on their number.
    cv2.setNumThreads(1)
    view = View.from_dict(given.view)
    here = {**pictures_named(view.info.photographs), **_models()}
    if other := sorted(name for name, digest in given.files.items() if here.get(name) != digest):
        raise StudyError(
            f"{', '.join(other)} on this machine is not that of the driver's machine: fetch the same assets"
        )
    reader = _reader(tuple(given.encoders.items()))
    return Result([], arrays=view_cells(reader, view, given.grids, HalfSizeReadout()))


class CacheOfStudy:
    """Keeps the cells of a cache's views where they belong; implements `driver.Keeper`."""

    def __init__(
        self, store: Store, progress: Callable[[str, int, int], None] = lambda what, done, total: None
    ) -> None:
        """Use a cache that `begun` made; ``progress`` is told how far what is there was verified."""
        self._store, self._arrays = store, store.arrays("r+")
        self._done = set(store.whole(self._arrays, store.needed(None), progress))
        files, encoders = _models(), encoded(store.meta.encoders)
        self.tasks: tuple[Task, ...] = tuple(
            Task(
                f"cells of {view.info.name}",
                compute,
                ViewOfCache(store.meta.key, number, view.info.name),
                Given(
                    view.as_dict(),
                    store.meta.grids,
                    encoders,
                    {**{name: store.meta.pictures[name] for name in view.info.photographs}, **files},
                ),
            )
            for number, view in sorted(enumerate(store.views), key=lambda pair: in_turn(pair[0]))
        )
        self._views = {task.key: task.inputs.view for task in self.tasks}

    def __contains__(self, key: str) -> bool:
        """Whether all cells of the view are there."""
        return self._views[key] in self._done

    def put(self, key: str, result: Result) -> None:
        """Write the cells of a view.

        Raises:
            StudyError: The disk is full, or they are of another version.
        """
        try:
            self._store.put(self._arrays, self._views[key], result.arrays)
        except CacheError as error:
            raise StudyError(str(error)) from error
        self._done.add(self._views[key])


def build(
    scene_sets: Mapping[str, SceneSet],
    pool: Pool,
    *,
    workers: int,
    grids: Grids | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, tuple[Path, Summary]]:
    """Compute what is missing of the percept caches of scene sets, in their default places.

    Args:
        scene_sets: By the name that the study has for them.
        pool: The workers.
        workers: Processes of this machine that find the views of a set, where they are not known.
        grids: Where cells lie; the default ones if left out.
        progress: Told what is done, how many, and of how many.

    Returns:
        By name, the folder of the cache, and how it went.

    Raises:
        StudyError: The disk is full, or no worker can be had any more. What was computed is kept.
        CacheError: See `begun`.
    """
    built = {}
    for name, scene_set in scene_sets.items():

        def told(done: int, total: int, name: str = name) -> None:
            progress(f"views of {name}", done, total)

        with (
            WorkerPool(workers, scene_set, ENCODERS) as finding,
            begun(finding, None, grids or Grids(), progress) as store,
        ):
            keeper = CacheOfStudy(store, progress)
            built[name] = store.folder, drive(keeper.tasks, pool, keeper, progress=told)
    return built


@lru_cache(maxsize=1)
def _reader(encoders: tuple[tuple[str, str], ...]) -> CellReader:
    return CellReader(dict(encoders))


@lru_cache(maxsize=1)
def _models() -> dict[str, str]:
    return models_of()
