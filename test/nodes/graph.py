"""A whole graph for tests: each node in its own process, in a ROS domain of its own."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ros_domains import free_domain, ros_environment
from ros_harness import PATIENCE_S, Child, Probe, Spawner

from dasha_ros.bringup.environment import profile_of

NODES = (
    "twin_world",
    "camera_driver",
    "lens_driver",
    "perception",
    "high_level_agent",
    "low_level_agent",
    "focus_server",
)
SMALL = {
    "camera_driver": {"width": 640, "height": 340},
    "twin_world": {"illuminance_lx": 300.0},
    "high_level_agent": {"inference_budget_s": 6.0, "retries": 1},
    "low_level_agent": {"inference_budget_s": 6.0, "retries": 1},
}
"""Frames of 640 px and enough light for short exposures, to save time; agents that four graphs on two cores
do not lose."""


class Graph:
    """The nodes as processes, and a probe that commands and observes them."""

    def __init__(self, spawner: Spawner, probe: Probe, report_dir: Path) -> None:
        self.spawner, self.probe = spawner, probe
        self.report_dir = report_dir
        self.processes: dict[str, Child] = {}

    def start(
        self,
        *nodes: str,
        scripts: Mapping[str, Path] | None = None,
        remap: Mapping[str, Mapping[str, str]] | None = None,
        **parameters: dict[str, Any],
    ) -> None:
        """Start nodes, by default all.

        Args:
            nodes: Names.
            scripts: Nodes that run a file of the tests instead of their module.
            remap: Topics of nodes that go by another name.
            parameters: By node, on top of `SMALL`.
        """
        for name in nodes or NODES:
            values = {**SMALL.get(name, {}), **parameters.get(name, {})}
            if name == "focus_server":
                values.setdefault("report_dir", self.report_dir)
            script = (scripts or {}).get(name)
            program = [str(script)] if script else ["-m", f"dasha_ros.nodes.{name}"]
            arguments = ["--ros-args", "-r", "__ns:=/dasha"]
            for source, target in (remap or {}).get(name, {}).items():
                arguments += ["-r", f"{source}:={target}"]
            for key, value in values.items():
                arguments += ["-p", f"{key}:={value}"]
            self.processes[name] = self.spawner.python(*program, *arguments, env=profile_of(name, {}))

    def until_active(self, *nodes: str) -> None:
        """Wait until nodes are active."""
        names = nodes or tuple(self.processes)
        try:
            self.probe.until_active(*names)
        except AssertionError as error:
            children = [(name, self.processes[name]) for name in names if name in self.processes]
            said = "\n".join(f"{name} ({child.returncode}): {child.output}" for name, child in children)
            raise AssertionError(f"{error}; the nodes said:\n{said}") from None

    def kill(self, name: str) -> None:
        """Kill a node with SIGKILL."""
        self.processes.pop(name).kill()

    def client(self) -> FocusClient:
        """An action client that the server has discovered."""
        return FocusClient(self.probe)


class FocusClient:
    """Sends goals to ``focus_on_object``."""

    def __init__(self, probe: Probe) -> None:
        from dasha_ros.action import FocusOnObject
        from dasha_ros.msg import FocusState
        from rclpy.action import ActionClient

        from dasha_ros.ros.transport import qos

        self.probe, self.kind = probe, FocusOnObject
        self.client = ActionClient(probe.node, FocusOnObject, "focus_on_object")
        # Created after the client: a server that is heard here has also discovered the client.
        self.states = probe.subscribe(FocusState, "focus/state", qos.STATE)
        probe.until(self.client.server_is_ready, "the focus server")
        probe.until(lambda: self.states, "the focus server's state")

    def send(self, *labels: str, **goal: Any) -> Goal:
        """Send a goal and wait for its acceptance or rejection; ``region``: four numbers."""
        from dasha_ros.msg import Region

        feedback: list[Any] = []
        if "region" in goal:
            edges = ("x_min", "y_min", "x_max", "y_max")
            goal["region"] = Region(**dict(zip(edges, map(float, goal["region"]), strict=True)))
        request = self.kind.Goal(labels=list(labels), **goal)
        future = self.client.send_goal_async(request, lambda m: feedback.append(m.feedback))
        return Goal(self.probe, self.probe.result(future, "an answer to the goal"), feedback)

    def run(self, *labels: str, timeout_s: float = PATIENCE_S, **goal: Any) -> Any:
        """Send a goal and wait for its result."""
        sent = self.send(*labels, **goal)
        assert sent.accepted, self.states[-1].message
        return sent.result(timeout_s)


class Goal:
    """One goal that was sent."""

    def __init__(self, probe: Probe, handle: Any, feedback: list[Any]) -> None:
        self.probe, self.handle, self.feedback = probe, handle, feedback
        self.accepted = handle.accepted
        self._result = handle.get_result_async() if handle.accepted else None

    def until_step(self, phase: int, step: int = 0) -> None:
        """Wait for feedback of a phase and step."""

        def reached() -> bool:
            if any(f.phase == phase and f.step >= step for f in list(self.feedback)):
                return True
            if self._result.done():
                ended = self._result.result().result
                steps = [(f.phase, f.step) for f in self.feedback]
                raise AssertionError(
                    f"the goal ended with {ended.error_code} after {steps}: {ended.error_msg}"
                )
            return False

        self.probe.until(reached, f"feedback of phase {phase}, step {step}")

    def until_over(self, meanwhile: Callable[[], None]) -> None:
        """Do something again and again until the goal's result is there."""
        self.probe.until(lambda: meanwhile() or self._result.done(), "the end of the goal")

    def cancel(self) -> Any:
        """Ask for a cancel and wait for the answer."""
        return self.probe.result(self.handle.cancel_goal_async(), "an answer to the cancel")

    def result(self, timeout_s: float = PATIENCE_S) -> Any:
        """Wait for the result; the goal's status is kept in ``status``."""
        answer = self.probe.result(self._result, "the goal's result", timeout_s)
        self.status = answer.status
        return answer.result


def middle_of(box: Any) -> tuple[float, float, float, float]:
    """A region that one thing fills: beside the thing, a box also shows the street behind it."""
    x, y = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
    half_width, half_height = (box.x_max - box.x_min) / 4, (box.y_max - box.y_min) / 4
    return (
        (x - half_width) / 640.0,
        (y - half_height) / 340.0,
        (x + half_width) / 640.0,
        (y + half_height) / 340.0,
    )


def told(result: Any) -> str:
    """What a goal did, step by step, from its report."""
    steps = json.loads((Path(result.report) / "report.json").read_text())["steps"]
    return "\n".join(
        f"{s['agent']} {s['index']}: {s['command']}, {s['lens']['position']}, {s['frame']['exposure_us']}, "
        f"{s['percept']['brisque']}, {s['percept']['detections']}"
        for s in steps
    )


@contextlib.contextmanager
def empty_graph(report_dir: Path) -> Iterator[Graph]:
    """A ROS domain with a probe and no nodes yet."""
    with free_domain() as domain:
        env = ros_environment(domain)
        saved = {key: os.environ.get(key) for key in env}
        os.environ.update(env)
        spawner, probe = Spawner(env), Probe(domain)
        try:
            yield Graph(spawner, probe, report_dir)
        finally:
            probe.close()
            spawner.end()
            for key, value in saved.items():
                os.environ.pop(key) if value is None else os.environ.update({key: value})
