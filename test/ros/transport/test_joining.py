"""What ROS refuses at the start is one sentence, for nodes, commands and programs alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.client import FocusClient
from dasha_ros.config import ConfigError

pytestmark = pytest.mark.graph


@pytest.mark.parametrize(("join", "enclave"), [(GraphClient, "tools"), (FocusClient, "client")])
def test_keys_that_are_missing_are_named(
    ros_env: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    join: Callable[..., object],
    enclave: str,
) -> None:
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    monkeypatch.setenv("ROS_SECURITY_STRATEGY", "Enforce")
    monkeypatch.setenv("ROS_SECURITY_KEYSTORE", str(tmp_path))
    with pytest.raises(ConfigError) as refused:
        join(namespace="/left")
    words = str(refused.value)
    assert words.startswith("ROS can't start: ")
    assert f"'{tmp_path}/enclaves/left/{enclave}' does not exist. ROS_SECURITY_ENABLE is true" in words
    assert "make_keystore.sh" in words
