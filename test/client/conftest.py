"""A focus server without a camera, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ros_harness import PATIENCE_S, Child, Spawner

from dasha_ros.client import FocusClient

SERVER = Path(__file__).parents[1] / "cli" / "fake_focus_server.py"


@pytest.fixture
def server(spawn: Spawner) -> Child:
    child = spawn.python(str(SERVER))
    child.wait_for_output("ready")
    return child


@pytest.fixture
def client(ros_env: Any) -> Iterator[FocusClient]:
    with FocusClient(restore_timeout=10.0, server_timeout=PATIENCE_S) as client:
        yield client
