"""Runs a described graph under a supervisor, and watches whether its nodes are active."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rich.console import Console
from rich.text import Text

from dasha_ros.bringup.child_process import Memory, Program
from dasha_ros.bringup.environment import environment
from dasha_ros.bringup.graph import Graph
from dasha_ros.bringup.graph_client import UNREACHABLE, GraphClient, LifecycleWatch
from dasha_ros.bringup.lock import GraphLock, GraphRunsAlreadyError
from dasha_ros.bringup.refusals import check_startable
from dasha_ros.bringup.supervisor import Backoff, Ended, State, Supervisor
from dasha_ros.config import ConfigError
from dasha_ros.ros.transport.qos import DIAGNOSTICS
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.system.signals import signals_collected

_LOG_LINE = re.compile(r"\[(DEBUG|INFO|WARN|ERROR|FATAL)\] \[[\d.]+\] \[[^\]]*\]: (.*)")
_SEVERITY = {"DEBUG": "dim", "INFO": "", "WARN": "yellow", "ERROR": "bold red", "FATAL": "bold red"}


LOOK_S = 0.8
"""How long to look for another graph with the same names before the start."""


class LogPrinter:
    """Prints the lines of all processes, each after its node's name."""

    def __init__(self, console: Console, names: tuple[str, ...], quiet: bool = False) -> None:
        """Print to ``console``; ``quiet`` prints only warnings and errors."""
        self._console = console
        self._width = max(map(len, names), default=0)
        self._quiet = quiet
        self.muted = False
        """Whether to print nothing."""

    def __call__(self, name: str, line: str) -> None:
        """Print one line."""
        if self.muted or line.startswith(ConfigError.WORDS):
            # The command prints this error itself, at the very end.
            return
        match = _LOG_LINE.match(line)
        severity, text = match.groups() if match else ("INFO", line)
        # Some lines begin with their node's name, for places where no name is printed before them.
        text = text.removeprefix(f"{name} ")
        if self._quiet and severity in {"DEBUG", "INFO"}:
            return
        self._console.print(Text.assemble((f"{name:>{self._width}} ", "cyan"), (text, _SEVERITY[severity])))


def programs(graph: Graph) -> list[Program]:
    """The programs of a graph; it stays on this machine unless the user's environment says otherwise."""
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
    """Runs a graph from its start to its clean shutdown. Use it as a context manager."""

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
        """Whether all nodes have been active at the same time."""
        self.exit_codes: dict[str, int] = {}
        """Exit codes by program; filled at the end of the session."""
        self._supervisor = Supervisor(
            programs(graph),
            output,
            log_dir,
            backoff,
        )
        self._lock = GraphLock(graph.namespace)
        self.tell_waiting: Callable[[list[str]], None] = lambda names: None
        """Called during a slow shutdown with the names of the programs that are still running."""
        self._began = time.monotonic()
        self._away: set[str] = set()
        """Processes that ended and have not been active since."""
        self._said: dict[str, DiagnosticStatus] = {}
        """The newest diagnostics of this graph's nodes, by full name."""

    def __enter__(self) -> Session:
        """Join the graph, then start the processes.

        Raises:
            GraphRunsAlreadyError: Another graph has nodes with the same names.
            OSError: A process can't be started.
            ConfigError: ``ROS_DOMAIN_ID`` is invalid, or a node could not configure itself.
        """
        check_startable(self.graph)
        self._began = time.monotonic()
        self._lock.acquire()
        try:
            self.client = GraphClient(self.graph.namespace)
        except BaseException:
            self._lock.release()
            raise
        try:
            self._refuse_if_more_than(0, LOOK_S)
            self._watch = LifecycleWatch(self.client, self.graph.node_names)
            subscribe(self.client.node, DiagnosticArray, "/diagnostics", self._on_diagnostics, DIAGNOSTICS)
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
                f"{name} is already running: stop the other graph, or use another --namespace "
                "or ROS_DOMAIN_ID"
            )

    def __exit__(self, *error: object) -> None:
        """End the processes in stages; Ctrl-C or SIGTERM meanwhile ends the remaining ones at once."""
        self.client.close()
        with signals_collected() as signals:
            self.exit_codes = self._supervisor.stop(lambda: bool(signals), self.tell_waiting)
        self._lock.release()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def poll(self) -> tuple[bool, list[Ended]]:
        """Check processes and nodes once.

        Returns:
            Whether all nodes are active, and the processes that ended since the last call.

        Raises:
            GraphRunsAlreadyError: Another graph with the same names appeared while this one started.
        """
        ended = self._supervisor.poll()
        for event in ended:
            self.restarts[event.name] = self.restarts.get(event.name, 0) + 1
            self._away.add(event.name)
        for name in self._dead():
            # The state belonged to the process that died.
            full_name = f"{self.graph.namespace}/{name}"
            self._watch.states[full_name] = UNREACHABLE
            self._said.pop(full_name, None)
        active = self._watch.poll()
        if not self.was_active and not self.restarts:
            self._refuse_if_more_than(1)
        self.was_active = self.was_active or active
        return active, ended

    def returned(self) -> list[str]:
        """The nodes that became active again since the last call, after their processes had died."""
        states = self.node_states()
        back = sorted(name for name in self._away if states[name] == "active")
        self._away.difference_update(back)
        return back

    def node_states(self) -> dict[str, str]:
        """Lifecycle state of every node, by process; ``dead`` if the process is not running."""
        dead = self._dead()
        return {
            p.name: "dead" if p.name in dead else self._watch.states[p.full_name]
            for p in self.graph.processes
        }

    def diagnostics(self) -> dict[str, DiagnosticStatus]:
        """The newest diagnostics of every node that was heard, by process."""
        return {p.name: self._said[p.full_name] for p in self.graph.processes if p.full_name in self._said}

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        said = {f"/{status.name}": status for status in message.status}
        # All nodes of a robot share the topic.
        self._said.update((name, said[name]) for name in self.graph.node_names if name in said)

    def broken(self) -> list[str]:
        """The nodes that failed to activate themselves; empty once the graph has been active.

        A node answers the question for its state only after its attempt.
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
