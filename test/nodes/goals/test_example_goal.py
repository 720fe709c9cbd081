"""``examples/first_goal.py`` asks a real graph."""

from __future__ import annotations

import pytest
from graph import Graph


@pytest.mark.graph
def test_what_is_in_the_middle_gets_sharp(graph: Graph) -> None:
    program = graph.spawner.python("examples/focus_here.py")
    assert program.wait() == 0, program.output
    assert "sharp at" in program.output


@pytest.mark.graph
@pytest.mark.parametrize(
    ("label", "code", "words"),
    [("motorcycle", 0, "found motorcycle with a score of 0."), ("unicorn", 1, "GoalRejectedError: ")],
)
def test_the_first_goal(graph: Graph, label: str, code: int, words: str) -> None:
    program = graph.spawner.python("examples/first_goal.py", label)
    assert program.wait() == code, program.output
    assert words in program.output
    assert ("FOCUSING" in program.output) == (code == 0)
