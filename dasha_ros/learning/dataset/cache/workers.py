"""The workers that compute a percept cache: this process, or several with one thread each.

They write nothing: the process that builds the cache does.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeVar

import cv2
from numpy.typing import NDArray

from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.cell_content import ENCODERS, CellReader, view_cells
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.composites import CompositeMaker
from dasha_ros.learning.dataset.scenes.description import SceneSet
from dasha_ros.learning.dataset.scenes.planes import PlaneMaker
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.profiles import lens_model
from dasha_ros.system.processes import end_with_parent

Result = TypeVar("Result")
Report = Callable[[str, int, int], None]
LOOK_S = 0.5
"""Interval at which finished jobs are counted [s]."""
_SPAWN = multiprocessing.get_context("spawn")


class Worker:
    """Keeps the models in memory and does one job after the other."""

    def __init__(
        self, scene_set: SceneSet, encoders: Mapping[str, str] = ENCODERS, *, colour: bool = False
    ) -> None:
        """Load the models.

        Args:
            scene_set: The scene set to work on.
            encoders: See `CellReader`.
            colour: See `CellReader`.

        Raises:
            ModelError: One is missing.
        """
        self._set = scene_set
        self._lens = lens_model()
        self.reader = CellReader(encoders, colour=colour)
        self._readout = HalfSizeReadout()
        self.count_part: Callable[[], None] = lambda: None
        """Called when a part of a job is done."""

    def planes(self, photo: str, fold: int) -> tuple[list[View], str]:
        """See `PlaneMaker.views`."""
        assert self._set.planes is not None
        maker = PlaneMaker(self._set, self._set.planes, self._lens, self.reader, self._readout)
        return maker.views(photo, fold)

    def composites(
        self, fold: int, count: int, objects: list[str], backgrounds: list[str]
    ) -> tuple[list[View], dict[str, str]]:
        """See `CompositeMaker.views`; each view counts as a part of the job.

        Returns:
            The views, and the pictures that could not be used with the reasons.
        """
        assert self._set.composites is not None
        maker = CompositeMaker(self._set, self._set.composites, self._lens, self.reader, self._readout)
        return maker.views(fold, count, objects, backgrounds, made=self.count_part), maker.skipped

    def view(self, view: View, grids: Grids) -> dict[str, NDArray[Any]]:
        """See `cell_content.view_cells`."""
        return view_cells(self.reader, view, grids, self._readout)


class WorkerPool:
    """Runs jobs on workers, in order. Use it as a context manager."""

    def __init__(
        self,
        workers: int,
        scene_set: SceneSet,
        encoders: Mapping[str, str] = ENCODERS,
        *,
        colour: bool = False,
    ) -> None:
        """Prepare the pool; processes start with the first job.

        Args:
            workers: Number of processes; 1 works in this process.
            scene_set: The scene set to work on.
            encoders: See `CellReader`.
            colour: See `CellReader`.

        Raises:
            ValueError: Fewer than one worker.
        """
        if workers < 1:
            raise ValueError(f"{workers} workers can't build a cache: give at least 1")
        self.scene_set, self.encoders, self.colour = scene_set, dict(encoders), colour
        self._count = workers
        self._pool: ProcessPoolExecutor | None = None
        self._processes: list[BaseProcess] = []
        self._parts = _SPAWN.Value("q")
        """Number of parts of jobs that all processes have finished."""
        self._worker: Worker | None = None

    def __enter__(self) -> WorkerPool:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes; after an error, also the jobs in progress, which may take ten more seconds."""
        if self._pool is not None:
            if error[0] is not None:
                for process in self._processes:
                    process.terminate()
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(
        self,
        job: Callable[..., Result],
        arguments: Sequence[tuple[Any, ...]],
        report: Report,
        what: str,
        parts: int | None = None,
    ) -> Iterator[tuple[int, Result]]:
        """The results of one method of `Worker` for many arguments, each with its number, as they come.

        None waits for another one, so that a kill costs only what is in progress.

        Args:
            job: The method.
            arguments: Arguments of each job.
            report: Called with the number of finished jobs, in any order.
            what: Name of the jobs in the report.
            parts: Total number of parts, to count parts instead of jobs.

        Raises:
            CacheError: A process was killed.
        """
        if not arguments:
            return
        total = len(arguments) if parts is None else parts
        report(what, 0, total)
        with self._parts.get_lock():
            self._parts.value = 0
        if self._count == 1:
            self._own().count_part = lambda: self._count_part(report, what, total)
            for number, each in enumerate(arguments):
                yield number, job(self._own(), *each)
                if parts is None:
                    report(what, number + 1, total)
        else:
            left = self._begun(job, arguments)
            while left:
                for future in wait(left, LOOK_S, FIRST_COMPLETED).done:
                    # Forgotten, because a future keeps its result.
                    yield left.pop(future), _result(future)
                report(what, total - len(left) if parts is None else self._parts.value, total)
        report(what, total, total)

    def _begun(
        self, job: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]
    ) -> dict[Future[Result], int]:
        """Hand jobs to the processes; returns their numbers."""
        before = set(multiprocessing.active_children())
        # Ctrl-C and the end of a terminal reach all processes. This one ends the others, which start here and
        # go on with what is blocked now.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
        try:
            return {
                self._started().submit(_do, job.__name__, each): number
                for number, each in enumerate(arguments)
            }
        finally:
            self._processes += set(multiprocessing.active_children()) - before
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _count_part(self, report: Report, what: str, total: int) -> None:
        self._parts.value += 1
        report(what, self._parts.value, total)

    def _own(self) -> Worker:
        if self._worker is None:
            self._worker = Worker(self.scene_set, self.encoders, colour=self.colour)
        return self._worker

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Don't fork: a child gets the locks of this process, but not the threads that hold them.
            given = self.scene_set, self.encoders, self.colour, self._parts
            self._pool = ProcessPoolExecutor(self._count, _SPAWN, _begin, given)
        return self._pool


_worker: Worker | None = None
"""The worker of this process, in a process of the pool."""


def _begin(scene_set: SceneSet, encoders: Mapping[str, str], colour: bool, parts: Synchronized[int]) -> None:
    global _worker  # noqa: PLW0603 - how a pool's initializer hands over
    cv2.setNumThreads(1)
    end_with_parent()
    _worker = Worker(scene_set, encoders, colour=colour)

    def count() -> None:
        with parts.get_lock():
            parts.value += 1

    _worker.count_part = count


def _do(job: str, arguments: tuple[Any, ...]) -> Any:
    assert _worker is not None
    return getattr(_worker, job)(*arguments)


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise CacheError(
            "a process that computes the cache ended (was it killed, or is the memory full?): "
            "run the same command again to go on"
        ) from error
