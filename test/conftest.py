"""Fixtures for tests that speak ROS; see ``ros_harness``."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ros_harness import Probe, Spawner, free_domain, ros_environment


@pytest.fixture
def ros_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of a graph of the test's own, set for this process and its children."""
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed: scripts/setup installs it")
    with free_domain() as domain:
        env = ros_environment(domain)
        for key, value in env.items():
            monkeypatch.setenv(key, value)
        yield env


@pytest.fixture
def spawn(ros_env: dict[str, str]) -> Iterator[Spawner]:
    """Starts processes that are gone when the test ends."""
    spawner = Spawner(ros_env)
    yield spawner
    spawner.end()


@pytest.fixture
def probe(ros_env: dict[str, str]) -> Iterator[Probe]:
    """A node in the test process, in the namespace /dasha, on the test's domain."""
    node = Probe(int(os.environ["ROS_DOMAIN_ID"]))
    yield node
    node.close()
