"""Who computes on which core: a network whose threads wait for each other takes two or three times as long.

Measured on two cores beside the graph's other processes, 100 frames each: encoder and detector took 12.4 ms
in the mean with what is here, 16.1 ms without, and 20.5 ms with OpenCV's threads alone put away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2


class CoreShare:
    """Cores for the threads of one network, where the machine has just as many.

    A network's worker sleeps between runs. When it is woken while another process happens to be
    on the second core, the kernel queues it behind the very thread that waits for it, and leaves it
    there for milliseconds. So the workers have their cores for good and the caller has another one
    while a run lasts. Where there are more cores than threads there is room elsewhere, and where there
    are fewer nothing helps: there nobody is bound.
    """

    def __init__(self, threads: int) -> None:
        """Share out the cores that the calling thread may use.

        Args:
            threads: Of a run, the caller's included.
        """
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._cores = cores if len(cores) == threads > 1 else []

    @property
    def workers(self) -> tuple[int, ...]:
        """Core of each thread but the caller's, empty where nobody is bound."""
        return tuple(self._cores[1:])

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Keep the calling thread off the cores of the workers."""
        if not self._cores:
            yield
            return
        free = os.sched_getaffinity(0)
        if not free.issuperset(self._cores):
            # Somebody has taken cores away meanwhile; then the run is slower, and that is all.
            yield
            return
        with suppress(OSError):
            os.sched_setaffinity(0, self._cores[:1])
        try:
            yield
        finally:
            with suppress(OSError):
                os.sched_setaffinity(0, free)


def leave_cores_to_networks() -> None:
    """Let OpenCV compute in the thread that calls it, in this whole process.

    Its own threads wait for more work in a loop, on the core that a network's thread needs next. What
    they save is 0.1 ms of a frame, and 1 ms of 13 where the twin renders full frames in the same process.
    """
    cv2.setNumThreads(1)
