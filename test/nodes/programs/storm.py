"""Sends a node's process lifecycle transitions without end: random ones, or the same four over and over.

    python test/nodes/programs/storm.py NODE... [--requests 1000] [--cycles 1000] [--seed 0]

starts each node in a ROS domain of its own, then prints its last state and how its memory grew. It exits
with 1 if a process ended or gave a wrong answer.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from graph import Graph, empty_graph
from transitions import changer

from dasha_ros.soak.memory import MemorySlope

ALL = (
    "twin_world",
    "camera_driver",
    "lens_driver",
    "perception",
    "high_level_agent",
    "low_level_agent",
    "focus_server",
    "trainer",
    "device_emulator",
)
PRIMARY = {
    ("unconfigured", "configure"): "inactive",
    ("inactive", "activate"): "active",
    ("active", "deactivate"): "inactive",
    ("inactive", "cleanup"): "unconfigured",
    ("unconfigured", "shutdown"): "finalized",
    ("inactive", "shutdown"): "finalized",
    ("active", "shutdown"): "finalized",
}
"""The lifecycle of a managed node (design.ros2.org/articles/node_lifecycle.html)."""
IDS = {"configure": 1, "cleanup": 2, "activate": 3, "deactivate": 4}
SHUTDOWN_IDS = {"unconfigured": 5, "inactive": 6, "active": 7}
CYCLE = ("deactivate", "cleanup", "configure", "activate")
NONSENSE_IDS = (0, 8, 9, 10, 11, 12, 20, 21, 30, 40, 50, 60, 61, 62, 90, 98, 99, 128, 255)
"""``create``, ``destroy``, transitions that only a node's callbacks make, and an unknown one."""
NONSENSE_LABELS = ("", "transition_success", "transition_error", "destroy", "Configure", "active", "x" * 99)


class Lifecycle:
    """Requests transitions of one node, one after another."""

    def __init__(self, graph: Graph, name: str) -> None:
        from lifecycle_msgs.srv import ChangeState, GetAvailableStates, GetAvailableTransitions, GetState

        from dasha_ros.ros.transport.retrying_call import RetryingCall

        self._probe, self._kinds = graph.probe, (ChangeState, GetState)
        node = graph.probe.node
        self._change = changer(graph.probe, name)
        self._others = [
            (node.create_client(kind, f"{name}/{service}"), kind)
            for kind, service in (
                (GetState, "get_state"),
                (GetAvailableStates, "get_available_states"),
                (GetAvailableTransitions, "get_available_transitions"),
                (GetAvailableTransitions, "get_transition_graph"),
            )
        ]
        self.process = graph.processes[name]
        for client, kind in self._others:
            graph.probe.until(client.service_is_ready, client.srv_name)
            asked = RetryingCall(client, kind.Request())
            graph.probe.until(asked.answer, f"an answer of {client.srv_name}")
            asked.close()

    def _ask(self, client: Any, request: Any, what: str) -> Any:
        future = client.call_async(request)

        def is_done() -> bool:
            if self.process.returncode is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.process.output}")
            return bool(future.done())

        self._probe.until(is_done, what)
        return future.result()

    def change(self, number: int, label: str = "") -> bool:
        """Request a transition; return whether it was made."""
        request = self._kinds[0].Request()
        request.transition.id, request.transition.label = number, label
        return bool(self._ask(self._change, request, f"an answer to transition {number} {label!r}").success)

    def look(self) -> str:
        """The node's state; also calls all other lifecycle services."""
        answers = [self._ask(client, kind.Request(), "an answer") for client, kind in self._others]
        assert len(answers[1].available_states) == 11
        return str(answers[0].current_state.label)


def storm(lifecycle: Lifecycle, requests: int, seed: int) -> str:
    """Make random requests, the last ones after a shutdown, check the answers, and return the state."""
    draw = random.Random(seed)
    state = lifecycle.look()
    for i in range(requests):
        wanted = draw.choice([*IDS, *IDS, "nonsense"])
        if i == requests - requests // 20:
            wanted = "shutdown"
        if wanted == "nonsense":
            number, label, after = draw.choice(NONSENSE_IDS), draw.choice(NONSENSE_LABELS), None
        else:
            number = IDS.get(wanted) or SHUTDOWN_IDS.get(state, 7)
            # The label takes precedence over the number.
            label = wanted if draw.random() < 0.3 else ""
            number = draw.choice(NONSENSE_IDS) if label else number
            after = PRIMARY.get((state, wanted))
        made = lifecycle.change(number, label)
        assert made == (after is not None), f"{number} {label!r} in state {state}: success={made}"
        state = after or state
        if i % 10 == 0:
            assert lifecycle.look() == state
    return state


def cycles(lifecycle: Lifecycle, count: int) -> str:
    """Repeat the four transitions; return how the process's memory grew."""
    memory, process, seen = MemorySlope(), psutil.Process(lifecycle.process.pid), []
    for i in range(count):
        for wanted in CYCLE:
            assert lifecycle.change(IDS[wanted]), f"{wanted} in cycle {i}:\n{lifecycle.process.output}"
            if wanted == "cleanup":
                # The node frees its memory before it answers these.
                assert lifecycle.look() == "unconfigured"
                seen.append(process.memory_info().rss / 1e6)
        if i >= count // 4:
            memory.add("node", process.pid, i, seen[-1])
    slope, error = memory.per_1000() or (0.0, 0.0)
    return f"{seen[0]:.1f} to {seen[-1]:.1f} MB, {slope:+.2f} +- {error:.2f} MB in 1000 cycles"


def start(graph: Graph, name: str) -> None:
    """Start a node and what it needs to do work."""
    if name == "device_emulator":
        folder = graph.report_dir.parent
        links = {"lens_link": str(folder / "lens"), "camera_socket": str(folder / "camera")}
        graph.start(name, "twin_world", device_emulator=links)
    elif name in ("camera_driver", "lens_driver"):
        graph.start(name, "twin_world")
    else:
        graph.start(name)
    graph.until_active(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="*", default=ALL)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--cycles", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    failures = 0
    for name in options.nodes:
        with tempfile.TemporaryDirectory() as folder, empty_graph(Path(folder) / "reports") as graph:
            start(graph, name)
            began, lifecycle = time.monotonic(), Lifecycle(graph, name)
            try:
                if options.cycles:
                    print(f"{name}: {options.cycles} cycles, {cycles(lifecycle, options.cycles)}", flush=True)
                if options.requests:
                    state = storm(lifecycle, options.requests, options.seed)
                    print(f"{name}: {options.requests} requests answered, at the end {state}", flush=True)
            except AssertionError as error:
                failures += 1
                print(f"{name}: {error}", flush=True)
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return min(1, failures)


if __name__ == "__main__":
    raise SystemExit(main())
