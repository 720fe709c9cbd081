"""How ``dasha up`` ends: in stages, with everything restored, on an error, and beside another graph."""

from __future__ import annotations

import os
import signal
import tempfile

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from programs import node_pids, runs
from ros_harness import Probe, wait_for

from dasha_ros.assets.fetch import missing
from dasha_ros.bringup.rigs import END_ORDER

pytestmark = [pytest.mark.graph, pytest.mark.slow]

UP_S = 120.0
SEARCHING = {
    "perception.encoder": "efficientnet_lite0",
    "high_level_agent.policy": "histogram",
    "low_level_agent.policy": "coarse_to_fine",
    "high_level_agent.inference_budget_s": 20.0,
    "low_level_agent.inference_budget_s": 20.0,
    "camera_driver.width": 640,
    "camera_driver.height": 340,
    "camera_driver.initial_exposure_us": 300.0,
    "camera_driver.twin_latency_ms": 200.0,
    "twin_world.illuminance_lx": 300.0,
}
"""Settings with which both actuators must move and an impossible goal lasts long."""


@pytest.fixture(scope="module", autouse=True)
def _assets():
    if missing():
        pytest.skip("photographs and models are not fetched: run `dasha assets fetch`")


@pytest.fixture(autouse=True)
def _runtime(spawn, tmp_path):
    spawn.env["XDG_RUNTIME_DIR"] = str(tmp_path)


@pytest.fixture
def start(spawn, tmp_path):
    """Starts ``dasha up``."""
    chosen = {**SEARCHING, "focus_server.report_dir": tmp_path / "reports"}
    options = [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]
    return lambda: spawn.dasha("up", *options)


class Rig:
    """The settings before a goal, and the goal in progress."""

    def __init__(self, probe: Probe) -> None:
        from dasha_ros.action import FocusOnObject
        from rclpy.action import ActionClient

        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.probe, self.kind = probe, FocusOnObject
        self.lens = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
        self.camera = probe.subscribe(msg.CaptureInfo, "camera/state", qos.STATE)
        self.client = ActionClient(probe.node, FocusOnObject, "focus_on_object")
        # Created after the client: a server that is heard here has also discovered the client.
        states = probe.subscribe(msg.FocusState, "focus/state", qos.STATE)
        probe.until(lambda: self.lens and self.camera and states, "the states of both drivers and the server")
        self.before = self.now()

    def now(self) -> tuple[float, float]:
        """The active lens position and exposure [us]."""
        return self.lens[-1].commanded_position, self.camera[-1].exposure_us

    def send_and_move(self):
        """Send an impossible goal, wait until both actuators moved, and return the future of its result."""
        feedback = []
        self.probe.until(self.client.server_is_ready, "the focus server")
        sent = self.client.send_goal_async(
            self.kind.Goal(labels=["giraffe"]), lambda m: feedback.append(m.feedback)
        )
        handle = self.probe.result(sent, "an answer to the goal")
        assert handle.accepted
        result = handle.get_result_async()
        moved = lambda: all(a != b for a, b in zip(self.now(), self.before, strict=True))  # noqa: E731
        self.probe.until(moved, "lens and exposure to move")
        return result


def test_a_graph_that_ends_during_a_goal_restores_lens_and_exposure(start, probe):
    up, twin = start(), start()
    # Both start at once: one comes up, and the other says so.
    wait_for(lambda: (up.returncode is None) != (twin.returncode is None), "one of two to give up", UP_S)
    up, twin = (up, twin) if up.returncode is None else (twin, up)
    assert twin.wait() == 2
    assert len(twin.lines) == 1
    assert f"/dasha (process {up.pid}) is already running: stop it" in twin.output
    up.wait_for_output("all 7 nodes are active", UP_S)

    rig = Rig(probe)
    result = rig.send_and_move()
    present = [node_pids(up.pid).keys()]
    assert present[0] == {name for stage in END_ORDER for name in stage} - {"trainer", "device_emulator"}
    up.send(signal.SIGINT)

    pids = node_pids(up.pid)
    last_first = [name for stage in reversed(END_ORDER) for name in stage if name in pids]

    def gone() -> bool:
        # Whoever ends last is looked at first: between two looks more nodes may end.
        alive = {name for name in last_first if runs(pids[name])}
        if alive != present[-1]:
            present.append(alive)
        return up.returncode is not None

    probe.until(gone, "the end", UP_S)
    assert up.wait() == 0, up.output
    assert "stopped cleanly" in up.output
    assert "Traceback" not in up.output
    answer = probe.result(result, "the goal's result").result
    assert answer.error_code == rig.kind.Result.SHUTDOWN, answer.error_msg
    # The drivers' last words may wait in the probe's queues.
    probe.until(lambda: rig.now() == rig.before, f"lens and exposure as before, {rig.before}")
    # All nodes of a stage ended before any node of the next.
    order = {name: i for i, names in enumerate(END_ORDER) for name in names}
    for names in present:
        left, away = {order[n] for n in names}, {order[n] for n in present[0] - names}
        assert not left or not away or max(away) <= min(left), present


def test_a_second_ctrl_c_kills_hanging_nodes_at_once(start, probe):
    up = start()
    up.wait_for_output("all 7 nodes are active", UP_S)
    rig = Rig(probe)
    rig.send_and_move()
    pids = node_pids(up.pid)
    os.kill(pids["focus_server"], signal.SIGSTOP)
    up.send(signal.SIGINT)
    up.wait_for_output("waiting for focus_server to end; Ctrl-C kills the rest at once")
    up.send(signal.SIGINT)
    assert up.wait(UP_S) == 1, up.output
    assert "'focus_server': -9" in up.output
    assert not any(map(runs, pids.values()))


MISCONFIGURED = """
from dataclasses import replace
from dasha_ros import cli
from dasha_ros.bringup import graph as bringup

describe = bringup.describe
def astray(*args):
    graph = describe(*args)
    return replace(graph, processes=tuple(
        replace(p, parameters={**p.parameters, "gain_db": 99.0}) if p.name == "camera_driver" else p
        for p in graph.processes))
bringup.describe = astray
cli.main(["up"])
"""


def test_a_configuration_error_is_final_and_printed_last(spawn):
    up = spawn.python("-c", MISCONFIGURED)
    assert up.wait(UP_S) == 2, up.output
    assert "starts again" not in up.output
    assert "gain_db = 99.0" in up.lines[-1]
    assert up.output.count("gain_db") == 1


def test_a_graph_without_its_devices_says_so_instead_of_asking_for_a_goal(spawn, monkeypatch):
    monkeypatch.setenv("PYLON_CAMEMU", "1")  # of a test that ran before in this process: none of ours
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
        spawn.env["XDG_RUNTIME_DIR"] = folder
        up = spawn.dasha("up", "--rig", "hardware")
        up.wait_for_output("all 6 nodes are active", UP_S)
        up.send(signal.SIGINT)
        assert up.wait(UP_S) == 0
    said = "but goals fail until what camera_driver and lens_driver said above is mended"
    assert said in up.output, up.output
    assert "dasha focus" not in up.output
    assert "not active" not in up.output, "that it ends is no warning"
