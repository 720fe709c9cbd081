"""How a node's process ends, whenever the signal comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

UNLUCKY = Path(__file__).with_name("unlucky_node.py")


def _end_at(moment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(UNLUCKY), moment], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("moment", ["before waiting", "while leaving"])
def test_a_signal_between_a_look_and_its_call_is_an_end_like_any_other(moment: str) -> None:
    ended = _end_at(moment)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_same_error_without_a_signal_is_still_told() -> None:
    ended = _end_at("bug")
    assert ended.returncode != 0
    assert "Traceback" in ended.stderr
