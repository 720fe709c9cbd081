"""Workers of a Ray cluster: every processor of every machine in it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any

from dasha_ros import __version__
from dasha_ros.benchmark.studies.task import Answer, Died, Failure, Result, StudyError, Task, carry_out
from dasha_ros.system.extras import ExtraMissing, require

AUTO = "auto"
"""The cluster that runs on this machine."""
ANSWER_S = 5.0
"""Time that an address has to answer [s]; Ray itself would wait for a minute."""
AHEAD = 2
"""Tasks for each processor that are with the cluster: the next one is there when one ends."""


class RayPool:
    """The processors of a cluster. Use it as a context manager.

    Run the driver on one of the cluster's machines. Each needs the same versions of this package and of Ray.
    """

    def __init__(self, address: str) -> None:
        """Prepare the pool.

        Args:
            address: ``auto``, or HOST:PORT of the head.

        Raises:
            StudyError: Ray is not installed, or the address means nothing.
        """
        try:
            require("cluster", "a study on a cluster", "ray")
        except ExtraMissing as error:
            raise StudyError(str(error)) from error
        if address != AUTO:
            host, _, port = address.rpartition(":")
            if not host or not port.isdecimal():
                raise StudyError(f"--ray {address}: give {AUTO}, or HOST:PORT of the cluster's head")
        self._address = address
        self._ray: Any = None
        self._flying: dict[Any, Task] = {}

    def __enter__(self) -> RayPool:
        """Join the cluster.

        Raises:
            StudyError: Nobody answers, or the cluster has another version of Ray or Python.
        """
        if self._address != AUTO:
            self._refuse_silence()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        try:
            ray.init(
                address=self._address,
                log_to_driver=False,
                logging_level="ERROR",
                # Numeric libraries read it when a worker loads them.
                runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
            )
        except ConnectionError as error:
            raise StudyError(self._silence()) from error
        except (RuntimeError, ValueError) as error:
            raise StudyError(f"the Ray cluster at {self._address} can't be joined: {error}") from error
        self._ray = ray
        # Not again by Ray itself: the driver counts how often a task is begun.
        self._remote = ray.remote(num_cpus=1, max_retries=0)(_carry_out)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the cluster, which drops what it was doing for us."""
        self._ray.shutdown()
        self._flying.clear()

    @property
    def room(self) -> int:
        """See `Pool`."""
        return AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 0))) - len(self._flying)

    def start(self, task: Task) -> None:
        """See `Pool`."""
        self._flying[self._remote.remote(task, __version__)] = task

    def answers(self, seconds: float) -> Sequence[tuple[Task, Answer]]:
        """See `Pool`."""
        refs = list(self._flying)
        if not self._ray.wait(refs, num_returns=1, timeout=seconds)[0]:
            return []
        ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        return [(self._flying.pop(ref), self._answer(ref)) for ref in ready]

    def _answer(self, ref: Any) -> Answer:
        from ray import exceptions

        try:
            answer: Result | Failure = self._ray.get(ref)
            return answer
        except exceptions.RayTaskError as error:
            # The function itself turns every error into a sentence: the worker could not even load it.
            last = str(error).strip().splitlines()[-1]
            raise StudyError(
                f"a machine of the cluster can't load the task ({last}): install this package there, in the "
                "Python that runs Ray"
            ) from error
        except exceptions.RayError as error:
            return Died(" ".join(str(error).split())[:200])

    def _refuse_silence(self) -> None:
        host, _, port = self._address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
        except (OSError, OverflowError) as error:
            raise StudyError(self._silence()) from error

    def _silence(self) -> str:
        where = "on this machine" if self._address == AUTO else f"at {self._address}"
        return (
            f"no Ray cluster answers {where}: start one with `ray start --head`, check the address, or leave "
            "out --ray to use this machine's processors"
        )


def _carry_out(task: Task, version: str) -> Result | Failure:
    """What a worker runs."""
    if version != __version__:
        return Failure(f"a machine of the cluster has dasha_ros {__version__}, the driver {version}")
    return carry_out(task)
