"""A process whose middleware waits for itself ends, so that it is started again; no other one does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ros_harness import Spawner

from dasha_ros.ros.transport.middleware_watch import PATIENCE, THREAD, USUAL, StandStill, wakes_of

ALIVE = 12
"""So many looks at a thread that wakes make it known."""


def looks(stand_still: StandStill, wakes: list[bool], thread: int = 1, count: int = 0) -> list[bool]:
    told = []
    for woke in wakes:
        count += woke
        told.append(stand_still.look({thread: count}))
    return told


@given(st.lists(st.booleans(), max_size=120))
def test_who_is_still_for_long_although_he_was_lively_is_stuck(wakes: list[bool]) -> None:
    """Against the whole history, read backwards for each look."""
    told = looks(StandStill(), [False, *wakes])[1:]
    for end, stuck in enumerate(told, start=1):
        history = wakes[:end]
        still = next((i for i, woke in enumerate(reversed(history)) if woke), end)
        runs = "".join("w" if woke else "." for woke in history[: end - still]).split("w")
        usual = max((len(run) for run in runs), default=0)
        assert stuck == (sum(history) >= 10 and still >= max(PATIENCE, USUAL * usual))


def test_a_thread_that_never_woke_or_has_ended_is_not_stuck() -> None:
    stand_still = StandStill()
    assert not any(looks(stand_still, [False] * 500))
    assert not any(looks(stand_still, [True] * ALIVE, thread=2))
    assert not any(stand_still.look({}) for _ in range(50)), "it has ended"
    assert not any(looks(stand_still, [False] * 50, thread=2)), "a new one got its number"


def test_one_that_is_stuck_counts_beside_one_that_is_not() -> None:
    stand_still = StandStill()
    told = [stand_still.look({1: min(i, ALIVE), 2: i}) for i in range(ALIVE + PATIENCE + 1)]
    assert told == [False] * (ALIVE + PATIENCE) + [True]


def test_the_kernel_tells_how_often_threads_of_the_middleware_woke(tmp_path: Path) -> None:
    def task(number: str, name: str, status: str) -> None:
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(f"{name}\n")
        (tmp_path / number / "status").write_text(status)

    counts = "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n"
    task("7", f"{THREAD}0", counts)
    task("8", "dds.udp.7400", counts)
    task("9", f"{THREAD}1", "voluntary_ctxt_switches: many\n")
    (tmp_path / "10").mkdir()
    assert wakes_of(tmp_path) == {7: 42}
    assert wakes_of(tmp_path / "nowhere") == {}


@pytest.mark.graph
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="stops one thread as Linux's debuggers do")
def test_a_node_whose_middleware_stopped_ends(spawn: Spawner) -> None:
    """All its other threads run on, as in the deadlock."""
    node = spawn.python(str(Path(__file__).with_name("stopped_node.py")), "dasha_ros.nodes.lens_driver")
    assert node.wait() == 0, node.output
    assert "the node ended with 1" in node.output
    assert "lens_driver ends: its middleware has stopped" in node.output
