"""Words of a command line that are no UTF-8: each command names them and does nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ros_harness import PATIENCE_S

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

BYTES = b"per\xffson"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((b"focus", BYTES), "holds bytes that are no text"),
        ((b"echo", BYTES), "is not a topic name"),
        ((b"get", BYTES), "is not a valid node name"),
        ((b"set", BYTES, b"a", b"1"), "is not a valid node name"),
        ((b"up", b"-s", b"camera_driver.serial=" + BYTES), "holds bytes that are no text"),
    ],
    ids=lambda value: value[0].decode() if isinstance(value, tuple) else "",
)
def test_they_are_refused(arguments: tuple[bytes, ...], words: str, ros_env: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, b"-m", b"dasha_ros.cli", *arguments],
        env={**os.environ, **ros_env},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
