"""Every node, under every transition that can be requested."""

from __future__ import annotations

import pytest
from graph import Graph
from storm import ALL, Lifecycle, cycles, start, storm

pytestmark = pytest.mark.graph

REQUESTS, CYCLES = 100, 15
"""``python test/nodes/programs/storm.py --cycles 1000`` makes ten times as many and measures memory."""


@pytest.mark.parametrize("name", ALL)
def test_a_node_answers_every_transition_request_as_the_lifecycle_defines(
    name: str, bare_graph: Graph
) -> None:
    start(bare_graph, name)
    lifecycle = Lifecycle(bare_graph, name)
    # Perception loads its networks each time.
    part = 5 if name == "perception" else 1
    cycles(lifecycle, CYCLES // part)
    assert storm(lifecycle, REQUESTS // part, seed=0) == "finalized"
