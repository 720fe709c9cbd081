"""A node's diagnostics."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph


def test_conditions_of_all_levels_can_follow_each_other(probe) -> None:
    # rclpy refuses two severities from one line of code, and the worker's thread would end.
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

    from dasha_ros.ros.node.health import Health
    from dasha_ros.ros.transport import qos

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    node = rclpy.create_node("patient", namespace="/dasha", context=context)
    try:
        health = Health(node)
        heard = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        probe.until(lambda: node.count_subscribers("/diagnostics") > 0, "the probe to be known")
        told: list[tuple[str, bytes]] = []

        def clear(cause: str, sentence: str) -> None:
            health.set_activity(sentence)
            health.clear(cause)

        for tell, level in (
            (health.warn, DiagnosticStatus.WARN),
            (health.error, DiagnosticStatus.ERROR),
            (health.warn, DiagnosticStatus.WARN),
            (clear, DiagnosticStatus.OK),
            (health.error, DiagnosticStatus.ERROR),
        ):
            told.append((f"case {len(told)}", level))
            tell("cause", told[-1][0])
            assert bytes([health.status().level]) == level
            probe.until(
                lambda: told == [(s.message, s.level) for a in heard for s in a.status], f"all of {told}"
            )
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_names_of_files_that_are_no_text_are_published_and_logged(probe) -> None:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.node.health import Health
    from dasha_ros.ros.transport import qos

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    node = rclpy.create_node("badly_named", namespace="/dasha", context=context)
    try:
        health = Health(node)
        heard = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        probe.until(lambda: node.count_subscribers("/diagnostics") > 0, "the probe to be known")
        health.show("device", lambda: {"hardware_id": "a\udcff", "port": "b\udcff"})
        health.set_activity(lambda: "c\udcff")
        health.warn("report", "no space in d\udcff")
        health.clear("report")
        probe.until(lambda: len(heard) >= 3, "the activity, the warning and its end")
        statuses = [array.status[0] for array in heard[:3]]
        assert [status.message for status in statuses] == ["c\\xff", "no space in d\\xff", "c\\xff"]
        assert {status.hardware_id for status in statuses} == {"a\\xff"}
        assert {v.value for status in statuses for v in status.values if v.key == "port"} == {"b\\xff"}
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_diagnostics_continue_when_simulated_time_stops(probe) -> None:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from dasha_ros.ros.node.health import Health
    from dasha_ros.ros.transport import qos

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    node = rclpy.create_node(
        "timeless",
        namespace="/dasha",
        context=context,
        parameter_overrides=[Parameter("use_sim_time", value=True)],
    )
    executor = SingleThreadedExecutor(context=context)
    try:
        Health(node)
        executor.add_node(node)
        heard = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

        def beats() -> bool:
            executor.spin_once(timeout_sec=0.05)
            return bool(heard)

        probe.until(beats, "diagnostics of a node whose time stands still")
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
