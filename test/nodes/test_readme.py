"""What the README shows to robots works."""

from __future__ import annotations

import re

import pytest
from graph import Graph
from ros_harness import ROOT

pytestmark = pytest.mark.graph


def _client(label: str) -> str:
    """The README's client, asking for another object."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("### From a robot stack")[1]
    found = re.search(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert found is not None
    assert found[1].count('labels=["person"]') == 1
    return found[1].replace('labels=["person"]', f'labels=["{label}"]')


@pytest.mark.parametrize(
    ("label", "code", "words"),
    [
        ("motorcycle", 0, "motorcycle 4"),
        ("unicorn", 1, "rejected: /dasha/focus/state says why"),
        ("giraffe", 1, "not found with a score of 0.5"),
    ],
)
def test_the_python_client(graph: Graph, label: str, code: int, words: str) -> None:
    client = graph.spawner.python("-c", _client(label))
    assert client.wait(60.0) == code, client.output
    assert words in client.output
