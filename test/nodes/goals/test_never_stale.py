"""With late, reordered images, captures and lens states, no stale percept is ever used.

The truth is the twin's physics: from the lens's own trajectory follows where it stood in
the middle of each exposure. A percept that a decision or a reward rests on must name
exactly the commands that were newest when it was used, and the light that made its
frame must have passed a lens that stood where the percept says.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from graph import Graph
from transitions import until_discovered

pytestmark = [pytest.mark.graph, pytest.mark.slow]

TOLERANCE_D = 0.05 * 0.31 + 0.01
"""Hysteresis of the lens, and what remains after settling."""


def ns(stamp: object) -> int:
    return stamp.sec * 10**9 + stamp.nanosec


def test_no_decision_and_no_reward_rests_on_a_stale_frame(bare_graph: Graph) -> None:
    from dasha_ros.action import AdjustExposure, AdjustFocus

    from dasha_ros import msg
    from dasha_ros.optics.actuator import PowerTrajectory
    from dasha_ros.optics.profiles import lens_model
    from dasha_ros.ros.transport import qos

    graph = bare_graph
    true = {
        "camera_driver": ("camera/image_raw", "camera/capture", "camera/state"),
        "lens_driver": ("lens/state", "twin/lens"),
    }
    graph.start(
        "twin_world",
        "camera_driver",
        "lens_driver",
        "perception",
        "high_level_agent",
        "low_level_agent",
        "focus_server",
        remap={node: {topic: f"{topic}_true" for topic in topics} for node, topics in true.items()},
        camera_driver={"twin_latency_ms": 30.0, "preview_rate_hz": 20.0, "capture_mode": "free_running"},
        lens_driver={"settle_ms": 120.0},
        # The classical search takes twice as many steps as the learned one, and every step is checked.
        low_level_agent={"policy": "coarse_to_fine"},
    )
    relay = graph.spawner.python(
        str(Path(__file__).parents[1] / "programs" / "unruly_relay.py"), "--ros-args", "-r", "__ns:=/dasha"
    )
    graph.until_active()
    probe = graph.probe
    # Not a node of the graph: without it, the focus server knows neither driver, and a goal fails.
    passed_on = [
        probe.subscribe(kind, topic, qos.STATE)
        for kind, topic in ((msg.CaptureInfo, "camera/state"), (msg.LensState, "lens/state"))
    ]
    try:
        probe.until(lambda: all(passed_on), "states that the relay passed on")
    except AssertionError as error:
        heard = [len(states) for states in passed_on]
        pytest.fail(f"{error}: {heard}; it ended with {relay.returncode} and said {relay.output!r}")
    log: list[tuple[str, object]] = []
    for name, kind, topic, profile in (
        ("exposure", msg.ExposureCommand, "camera/exposure_command", qos.COMMAND),
        ("lens", msg.LensCommand, "lens/command", qos.COMMAND),
        ("step", AdjustExposure.Impl.FeedbackMessage, "adjust_exposure/_action/feedback", qos.REWARD),
        ("step", AdjustFocus.Impl.FeedbackMessage, "adjust_focus/_action/feedback", qos.REWARD),
        ("moves", msg.TwinLens, "twin/lens_true", qos.STATE),
    ):
        # With room for what comes while this process rests: where the lens stood follows from every move.
        probe.node.create_subscription(
            kind, topic, lambda m, name=name: log.append((name, m)), qos.to_hear(profile)
        )
    for name in ("high_level_agent", "low_level_agent", "lens_driver"):
        until_discovered(probe, name)
    client = graph.client()
    for labels in (("motorcycle",), ("person",), ("giraffe",)):
        result = client.run(*labels, timeout_s=900.0)
        assert result.error_code == (202 if labels == ("giraffe",) else 0), result.error_msg

    steps = [m.feedback for name, m in log if name == "step"]
    moves = [
        PowerTrajectory(ns(m.moved_at), m.start_dioptres, m.target_dioptres, m.time_constant_s)
        for name, m in log
        if name == "moves"
    ]
    commands = {name: [m for n, m in log if n == name] for name in ("exposure", "lens")}
    heard = {name: [m.id for m in given] for name, given in commands.items()}
    assert len(steps) > 30
    # No clock is set here, so a constant offset maps the frames' stamps to the twin's steady time.
    steady_ns = time.monotonic_ns() - time.time_ns()
    model = lens_model("physical")
    for step in steps:
        reward, percept = step.reward, step.percept
        assert reward.header.stamp == percept.header.stamp
        begun = ns(percept.header.stamp)
        assert percept.capture.lens_driver == percept.lens.driver
        assert percept.capture.lens_move == percept.lens.move
        # The step's own command made the frame.
        action = dict(zip(reward.action_names, reward.action_values, strict=True))
        if "lens_position" in action:
            assert percept.lens.commanded_position == action["lens_position"]
        if "exposure_us" in action:
            assert percept.capture.exposure_us == pytest.approx(action["exposure_us"], abs=1.0)
        # No command given before the frame began is newer than the one that it answers.
        for name, answered in (
            ("lens", percept.capture.lens_command),
            ("exposure", percept.capture.exposure_command),
        ):
            given_before = [c for c in commands[name] if ns(c.header.stamp) <= begun]
            newest = max(given_before, key=lambda c: ns(c.header.stamp), default=None)
            if newest and answered.sender == newest.id.sender and answered not in heard[name]:
                # Its queue is one deep: under load, the next command may replace it before it is heard here.
                assert answered.sequence > newest.id.sequence
            else:
                assert answered == (newest.id if newest else msg.CommandId())
        # The lens was where the percept says while the frame was exposed.
        middle = begun + steady_ns + round(percept.capture.exposure_us * 500)
        stood = [m for m in moves if m.moved_at_ns <= middle][-1].at(middle)
        assert stood == pytest.approx(model.dioptres(percept.lens.position), abs=TOLERANCE_D)
