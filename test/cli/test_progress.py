"""Progress of long work without a bar."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.cli.terminal.progress import LINE_S, Lines


def test_a_piped_build_prints_progress_and_remaining_time() -> None:
    now, said = [0.0], list[str]()
    lines = Lines(said.append, clock=lambda: now[0])
    for done in range(101):
        now[0] = done * 1.0
        lines("cells", done, 100)
    assert said[0] == "cells: 0 of 100"
    assert said[1] == "cells: 10 of 100, 2 min left"
    assert said[-2] == "cells: 90 of 100, 10 s left"
    assert said[-1] == "cells: 100 of 100"


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 50), st.floats(0.0, 30.0)), max_size=60)
)
def test_lines_come_regularly_but_not_too_often(reports: list[tuple[str, int, float]]) -> None:
    now, said = [0.0], list[float]()
    lines = Lines(lambda line: said.append(now[0]), clock=lambda: now[0])
    known = set[str]()
    for what, done, pause in reports:
        now[0] += pause
        count = len(said)
        lines(what, done, 51)
        due = what not in known or now[0] - (said[count - 1] if count else 0.0) >= LINE_S
        assert (len(said) > count) == due
        known.add(what)
