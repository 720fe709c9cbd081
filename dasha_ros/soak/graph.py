"""The graph under test: its processes, its observable state, and its faults."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.bringup.supervisor import Backoff
from dasha_ros.msg import CaptureInfo, FocusState, LensState
from dasha_ros.ros.actuation.episode_reset import WorldRefused, WorldReset
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.middleware_watch import EXIT_CODE
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.soak.goals import Goals
from dasha_ros.twin.world import World

T = TypeVar("T")

UP_S = 90.0
"""Longest time until all nodes are active (again)."""
_CALL_S = 10.0
PATIENT = Backoff(first_s=0.2, longest_s=0.2, tries=1_000_000)
"""A soak kills processes so often that the default would give the graph up."""
WORKING = (FocusState.EXPOSING, FocusState.FOCUSING, FocusState.HOLDING, FocusState.RESTORING)


class SoakError(Exception):
    """The soak can't continue; the message says why."""


class SoakGraph:
    """A supervised graph of the twin, observed from outside. Use it as a context manager.

    Attributes:
        session: The processes.
        client: The observer's node.
        goals: Sends goals.
        lost: Processes that ended by themselves.
        stopped: Nodes that ended because the middleware had stopped in them.
    """

    def __init__(
        self,
        report_dir: Path,
        environment: Mapping[str, str] | None = None,
        output: Callable[[str, str], None] = lambda name, line: None,
    ) -> None:
        """Describe the graph.

        Args:
            report_dir: Folder of the goals' reports; its disk may be full.
            environment: Variables to add for every process.
            output: Gets every line that a process prints.
        """
        graph = bringup.describe(
            bringup.Options(
                namespace="/dasha",
                overrides=(
                    f"focus_server.report_dir={report_dir}",
                    # Smaller frames give more goals in the same time.
                    "camera_driver.width=1024",
                    "camera_driver.height=544",
                ),
            )
        )
        processes = tuple(
            replace(p, environment={**p.environment, **(environment or {})}) for p in graph.processes
        )
        self.session = Session(replace(graph, processes=processes), output, backoff=PATIENT)
        self.lost: list[str] = []
        self.stopped: list[str] = []
        self._expected: set[str] = set()
        self.lens: LensState | None = None
        self.camera: CaptureInfo | None = None
        self.focus: FocusState | None = None

    def __enter__(self) -> SoakGraph:
        """Start the processes, and wait until all nodes are active.

        Raises:
            SoakError: They do not become active.
        """
        self.session.__enter__()
        try:
            self.client = self.session.client
            self.goals = Goals(self.client)
            self._reset = WorldReset(self.client.node, self._await)
            for kind, topic, name in (
                (LensState, "lens/state", "lens"),
                (CaptureInfo, "camera/state", "camera"),
                (FocusState, "focus/state", "focus"),
            ):
                subscribe(self.client.node, kind, topic, partial(setattr, self, name), qos.STATE)
            self.until_active()
        except BaseException:
            self.session.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        self.session.__exit__(*error)

    def poll(self) -> bool:
        """Check the processes once; returns whether all nodes are active."""
        active, ended = self.session.poll()
        for event in ended:
            if event.name in self._expected:
                self._expected.discard(event.name)
            elif event.exit_code == EXIT_CODE:
                self.stopped.append(event.name)
            else:
                self.lost.append(f"{event}: {' | '.join(event.last_lines[-3:])}")
        return active

    def until(self, condition: Callable[[], T], seconds: float) -> T | None:
        """Wait until ``condition`` is true and return it; ``None`` after ``seconds``."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                return None
            self.poll()
        return value

    def wait(self, seconds: float) -> None:
        """Wait for a time, and keep checking the processes."""
        self.until(lambda: False, seconds)

    def until_active(self) -> None:
        """Wait until all nodes are active and the action server is available.

        Raises:
            SoakError: They do not become active.
        """
        # A node that is shutting down is still active for a while.
        if not self.until(lambda: self.poll() and not self._expected and self.goals.is_served(), UP_S):
            raise SoakError(f"after {UP_S:g} s not all nodes are active: {self.session.node_states()}")

    def settings(self) -> tuple[float, float]:
        """Exposure [us] and position of the lens that are active.

        Raises:
            SoakError: A driver does not publish its state.
        """
        if not self.until(lambda: self.camera is not None and self.lens is not None, UP_S):
            raise SoakError("camera/state or lens/state was never received")
        assert self.camera is not None
        assert self.lens is not None
        return self.camera.exposure_us, self.lens.commanded_position

    @property
    def phase(self) -> int | None:
        """The phase that the focus server publishes."""
        return None if self.focus is None else int(self.focus.state)

    def until_idle(self, seconds: float) -> bool:
        """Wait until no goal is running."""
        return bool(self.until(lambda: self.phase is not None and self.phase not in WORKING, seconds))

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a node's process; if the signal ends it, that is expected."""
        pid = self.session.pids().get(name)
        if pid is None:
            return
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            self._expected.add(name)
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def set_world(self, world: World) -> None:
        """Change scene, light and distances, and wait until the twin confirms it.

        Raises:
            SoakError: ``twin_world`` refuses or does not answer.
        """
        try:
            self._reset.set_world(world)
        except WorldRefused as error:
            raise SoakError(str(error)) from error

    def _await(self, condition: Callable[[], bool], trouble: str) -> None:
        if not self.until(condition, _CALL_S):
            raise SoakError(trouble)
