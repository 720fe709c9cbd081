"""A result reaches its client whatever its words are."""

from __future__ import annotations

import threading

import pytest
from ros_harness import PATIENCE_S, Probe, in_threads

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph


def test_a_result_whose_words_are_no_text_is_sent_all_the_same(probe: Probe) -> None:
    """A home with bytes that are no UTF-8, or under a locale that reads none, is part of a report's path."""
    from dasha_ros.action import AdjustFocus
    from rclpy.action import ActionClient
    from rclpy.callback_groups import ReentrantCallbackGroup

    from dasha_ros.ros.goals.simple_action_server import SimpleActionServer

    result = AdjustFocus.Result(error_msg="/home/J\udcc3\udcbcrgen/\udcff is full")
    server = SimpleActionServer(
        probe.node, AdjustFocus, "badly_named", lambda _: "", lambda _: result, ends_s=20.0
    )
    client = ActionClient(probe.node, AdjustFocus, "badly_named", callback_group=ReentrantCallbackGroup())
    heard: list[str] = []
    ended = threading.Event()
    with in_threads(probe, 4):
        assert client.wait_for_server(PATIENCE_S)
        client.send_goal_async(AdjustFocus.Goal()).add_done_callback(
            lambda sent: (
                sent.result()
                .get_result_async()
                .add_done_callback(
                    lambda answer: (heard.append(answer.result().result.error_msg), ended.set())
                )
            )
        )
        assert ended.wait(PATIENCE_S), "no answer"
        client.destroy()
        server.destroy()
    assert heard == ["/home/Jürgen/\\xff is full"]
