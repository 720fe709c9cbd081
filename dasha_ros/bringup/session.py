"""A supervised graph: the processes of a description, and whether their nodes are active."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.text import Text

from dasha_ros.bringup.child_process import Memory, Program
from dasha_ros.bringup.graph import Graph, environment
from dasha_ros.bringup.lock import GraphLock, GraphRunsAlreadyError
from dasha_ros.bringup.supervisor import Backoff, Ended, State, Supervisor
from dasha_ros.bringup.watcher import UNREACHABLE, Client, LifecycleWatch
from dasha_ros.config import ConfigError
from dasha_ros.system.signals import signals_counted

_LOG_LINE = re.compile(r"\[(DEBUG|INFO|WARN|ERROR|FATAL)\] \[[\d.]+\] \[[^\]]*\]: (.*)")
_SEVERITY = {"DEBUG": "dim", "INFO": "", "WARN": "yellow", "ERROR": "bold red", "FATAL": "bold red"}


LOOK_S = 0.8
"""How long to look for another graph of the same names before this one is started."""


class LogPrinter:
    """Prints the lines of all processes, each behind its node's name."""

    def __init__(self, console: Console, names: tuple[str, ...], quiet: bool = False) -> None:
        """Print to ``console``; ``quiet`` leaves out what is no warning."""
        self._console = console
        self._width = max(map(len, names), default=0)
        self._quiet = quiet
        self.muted = False
        """Print nothing any more."""

    def __call__(self, name: str, line: str) -> None:
        """Print one line."""
        if self.muted or line.startswith(ConfigError.WORDS):
            # What ends the graph is its last word.
            return
        match = _LOG_LINE.match(line)
        severity, text = match.groups() if match else ("INFO", line)
        # Many a line begins with its node's name, as an error must where nothing stands before it.
        text = text.removeprefix(f"{name} ")
        if self._quiet and severity in {"DEBUG", "INFO"}:
            return
        self._console.print(Text.assemble((f"{name:>{self._width}} ", "cyan"), (text, _SEVERITY[severity])))


def programs(graph: Graph) -> list[Program]:
    """The processes of a graph that stays on this machine, unless the user's environment says otherwise."""
    return [
        Program(
            p.name,
            p.command(),
            {**environment(), **p.environment},
            respawn=p.respawn,
            stage=p.stage,
            final_codes=frozenset({ConfigError.EXIT_CODE}),
        )
        for p in graph.processes
    ]


class Session:
    """Runs a graph, from its start to its clean end. Use it as a context manager."""

    def __init__(
        self,
        graph: Graph,
        output: Callable[[str, str], None],
        log_dir: Path | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.graph = graph
        self.restarts: dict[str, int] = {}
        self.was_active = False
        """All nodes were active at once at least one time."""
        self.exit_codes: dict[str, int] = {}
        """Filled by the end of the session."""
        self._supervisor = Supervisor(
            programs(graph),
            output,
            log_dir,
            backoff,
        )
        self._lock = GraphLock(graph.namespace)
        self.tell_waiting: Callable[[list[str]], None] = lambda names: None
        """Told who is waited for at the end."""
        self._began = time.monotonic()
        self._away: set[str] = set()
        """Processes that ended and were not seen active since."""

    def __enter__(self) -> Session:
        """Join the graph, then start the processes.

        Raises:
            GraphRunsAlreadyError: Another graph has nodes of the same names.
            OSError: A process can't be started.
            ConfigError: A ``ROS_DOMAIN_ID`` that can't be.
        """
        self._began = time.monotonic()
        self._lock.acquire()
        try:
            self.client = Client(self.graph.namespace)
        except BaseException:
            self._lock.release()
            raise
        try:
            self._refuse_if_more_than(0, LOOK_S)
            self._watch = LifecycleWatch(self.client, self.graph.node_names)
            self._supervisor.start()
        except BaseException:
            self.client.close()
            self._lock.release()
            raise
        return self

    def _refuse_if_more_than(self, expected: int, seconds: float = 0.0) -> None:
        def surplus() -> str | None:
            seen = self.client.node_names()
            return next((name for name in self.graph.node_names if seen.count(name) > expected), None)

        if name := self.client.until(surplus, seconds):
            raise GraphRunsAlreadyError(
                f"{name} runs already: stop the other graph, or use another --namespace or ROS_DOMAIN_ID"
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, in stages; Ctrl-C or SIGTERM meanwhile ends those that are left at once."""
        self.client.close()
        with signals_counted() as signals:
            self.exit_codes = self._supervisor.stop(lambda: bool(signals), self.tell_waiting)
        self._lock.release()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def poll(self) -> tuple[bool, list[Ended]]:
        """Look after processes and nodes for a moment.

        Returns:
            Whether all nodes are active, and which processes ended since the last call.

        Raises:
            GraphRunsAlreadyError: While this graph came up, another of the same names was seen.
        """
        ended = self._supervisor.poll()
        for event in ended:
            self.restarts[event.name] = self.restarts.get(event.name, 0) + 1
            self._away.add(event.name)
        for name in self._dead():
            # What its last process said is not true of the next.
            self._watch.states[f"{self.graph.namespace}/{name}"] = UNREACHABLE
        active = self._watch.poll()
        if not self.was_active and not self.restarts:
            self._refuse_if_more_than(1)
        self.was_active = self.was_active or active
        return active, ended

    def returned(self) -> list[str]:
        """Which nodes are active again since the last call, after their processes had ended."""
        states = self.node_states()
        back = sorted(name for name in self._away if states[name] == "active")
        self._away.difference_update(back)
        return back

    def node_states(self) -> dict[str, str]:
        """Lifecycle state of every node by the name of its process; dead processes have none."""
        dead = self._dead()
        return {
            p.name: "dead" if p.name in dead else self._watch.states[p.full_name]
            for p in self.graph.processes
        }

    def broken(self) -> list[str]:
        """Nodes that could not come up by themselves, as long as the graph has never been active.

        A node that is asked for its state answers when its attempt is over.
        """
        if self.was_active:
            return []
        states = self.node_states()
        return [
            p.name
            for p in self.graph.processes
            if p.parameters.get("autostart", True) and states[p.name] in {"unconfigured", "inactive"}
        ]

    def _dead(self) -> set[str]:
        return {n for n, state in self._supervisor.states().items() if state is not State.RUNNING}

    def pids(self) -> dict[str, int]:
        """Process ids of the running processes."""
        return self._supervisor.pids()

    def memory(self) -> dict[str, Memory]:
        """Memory of the running processes."""
        return self._supervisor.memory()
