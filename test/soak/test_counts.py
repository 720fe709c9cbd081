"""The parts of a soak: the slope of memory, the plan, and the small disk."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.soak.disk import SmallDisk
from dasha_ros.soak.memory import LEAST_SAMPLES, WARM_UP, MemorySlope
from dasha_ros.soak.tally import Tally


def test_too_few_samples_give_no_slope() -> None:
    slope = MemorySlope()
    for goals in range(LEAST_SAMPLES + WARM_UP - 1):
        slope.add("a", 1, goals, 100.0)
    assert slope.per_1000() is None


@given(
    growth=st.floats(-0.1, 0.1),
    noise=st.floats(0.0, 2.0),
    seed=st.integers(0, 2**31),
    count=st.integers(60, 300),
)
def test_a_known_growth_is_found_within_its_error(growth: float, noise: float, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    slope = MemorySlope()
    for goals in range(count):
        slope.add("grows", 1, goals, 200.0 + growth * goals + float(rng.normal(0.0, noise)))
        slope.add("stays", 2, goals, 80.0)
    found = slope.per_1000()
    assert found is not None
    per_1000, error = found
    assert abs(per_1000 - 1000 * growth) <= 6 * error + 1e-6


def test_a_single_growth_at_the_start_is_not_a_slope() -> None:
    """Caches and pools fill during the first goals, which are left out."""
    slope = MemorySlope()
    for goals in range(90):
        slope.add("fills", 1, goals, 100.0 + min(goals, 25))
    found = slope.per_1000()
    assert found is not None
    assert found[0] == pytest.approx(0.0, abs=1e-6)


def test_a_replaced_process_starts_a_new_series() -> None:
    slope = MemorySlope()
    for goals in range(100):
        # A new process is smaller, but that is not shrinking, and it has not inherited the old one's growth.
        slope.add("a", 1 if goals < 30 else 2, goals, 300.0 + goals if goals < 30 else 100.0)
    found = slope.per_1000()
    assert found is not None
    assert found[0] == pytest.approx(0.0, abs=1e-6)


def test_a_soak_of_fewer_kills_is_smaller_in_all_its_parts() -> None:
    from dasha_ros.soak.plan import FULL, QUICK, Size

    assert Size.of(FULL.signals) == FULL
    half = Size.of(FULL.signals // 2)
    assert (half.signals, half.quiet) == (FULL.signals // 2, FULL.quiet // 2)
    assert Size.of(1) == Size(1, 1, QUICK.quiet)


def test_every_promise_that_was_broken_is_in_the_json() -> None:
    tally = Tally(kills=3, ended=2)
    tally.rounds["burst"] += 1
    tally.breaks("the lens did not come back")
    told = json.loads(json.dumps(tally.as_dict()))
    for key in (
        "kills",
        "ended",
        "restored_or_said",
        "next_goal_ok",
        "goals",
        "answered",
        "stale_successes",
        "processes_lost",
        "memory_mb_per_1000_goals",
        "memory_mb_per_1000_cycles",
    ):
        assert key in told
    assert told["broken"] == ["the lens did not come back"]
    assert any("of 3" in row for row in map(" ".join, tally.table()))


def test_every_node_gets_every_signal_in_turn() -> None:
    pytest.importorskip("rclpy")
    from dasha_ros.soak.plan import FULL, OTHERS, plan
    from dasha_ros.soak.rounds import NODES, SIGNALS

    named = [name for name, _ in plan(FULL, Random(3))]
    assert [name for name, _ in plan(FULL, Random(3))] == named, "the same seed, the same plan"
    assert [name for name, _ in plan(FULL, Random(4))] != named
    counts = {f"SIG{how} to {node}": named.count(f"SIG{how} to {node}") for how in SIGNALS for node in NODES}
    assert sum(counts.values()) == FULL.signals
    assert max(counts.values()) - min(counts.values()) <= 1
    assert all(named.count(name) == FULL.others for name in OTHERS)


def test_a_full_disk_refuses_writes_until_it_is_freed(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "disk") as disk:
        if disk.why_not:
            pytest.skip(disk.why_not)
        disk.fill()
        with pytest.raises(OSError, match="No space"):
            (disk.folder / "report.json").write_text("x" * 5000)
        disk.free()
        (disk.folder / "report.json").write_text("x" * 5000)
    assert not (tmp_path / "disk" / "report.json").exists(), "it is unmounted"
