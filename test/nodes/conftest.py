"""Graphs for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "programs"))

from graph import Graph, empty_graph


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The default graph, all nodes active, shared by the tests of a module."""
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed: scripts/setup installs it")
    with empty_graph(tmp_path_factory.mktemp("reports")) as graph:
        graph.start()
        graph.until_active()
        yield graph


@pytest.fixture
def bare_graph(tmp_path: Path) -> Iterator[Graph]:
    """A graph without nodes; the test starts those it wants."""
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed: scripts/setup installs it")
    with empty_graph(tmp_path / "reports") as graph:
        yield graph
