"""Assigns CPU cores to threads: a network whose threads wait for each other takes two or three times as long.

Measured on two cores beside the graph's other processes, mean of 100 frames: encoder and detector took 12.4
ms with this module, 16.1 ms without it, and 20.5 ms with only OpenCV's threads disabled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2


class CoreShare:
    """Binds the threads of one network to cores, if the machine has exactly as many cores as threads.

    A network's worker thread sleeps between runs. If it wakes while another process is on the second core,
    the kernel queues it behind the thread that waits for it, and leaves it there for milliseconds. Therefore
    the workers always keep their cores, and the caller has another one during a run. With more cores than
    threads this is not necessary, and with fewer it does not help: then no thread is bound.
    """

    def __init__(self, threads: int) -> None:
        """Assign the cores that the calling thread may use.

        Args:
            threads: Threads of a run, including the caller's.
        """
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._cores = cores if len(cores) == threads > 1 else []

    @property
    def workers(self) -> tuple[int, ...]:
        """Core of each thread except the caller's; empty if no thread is bound."""
        return tuple(self._cores[1:])

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Keep the calling thread off the workers' cores."""
        if not self._cores:
            yield
            return
        free = os.sched_getaffinity(0)
        if not free.issuperset(self._cores):
            # Cores were taken away meanwhile, so the run is only slower.
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
    """Make OpenCV compute in the calling thread, in the whole process.

    OpenCV's own threads wait for work in a busy loop, on the core that a network's thread needs next. They
    save only 0.1 ms of a frame, and 1 ms of 13 if the twin renders full frames in the same process.
    """
    cv2.setNumThreads(1)
