"""How a node's process ends, whenever the signal comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

UNLUCKY = """
import sys
import rclpy
from rclpy.executors import SingleThreadedExecutor
from dasha_ros.nodes.twin_world import TwinWorld
from dasha_ros.ros.node import run


class Unlucky(SingleThreadedExecutor):
    def wait_for_ready_callbacks(self, *args, **kwargs):
        if sys.argv[1] == "signal":
            rclpy.shutdown()  # as the handler does, after the executor looked and before it waits
        else:
            rclpy.create_node("broken", context=rclpy.Context())
        return super().wait_for_ready_callbacks(*args, **kwargs)


run(TwinWorld, executor=Unlucky)
"""


def _end_of(why: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "unlucky.py"
    program.write_text(UNLUCKY)
    return subprocess.run(
        [sys.executable, str(program), why], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_signal_just_before_the_executor_waits_is_an_end_like_any_other(tmp_path: Path) -> None:
    ended = _end_of("signal", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_same_error_without_a_signal_is_still_told(tmp_path: Path) -> None:
    ended = _end_of("bug", tmp_path)
    assert ended.returncode != 0
    assert "Traceback" in ended.stderr
