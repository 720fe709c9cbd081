"""The promises hold under at least one fault of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ros_harness import PATIENCE_S, Spawner

pytestmark = [pytest.mark.graph, pytest.mark.slow]
LONGEST_S = 1500.0


def test_a_quick_soak_breaks_no_promise(spawn: Spawner, tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    # Three other graphs share the processors: a pause of theirs is no broken promise.
    soak = spawn.dasha("soak", "--quick", "--within", str(PATIENCE_S), "--seed", "7", "--json", str(counts))
    code = soak.wait(LONGEST_S)
    told = json.loads(counts.read_text(encoding="utf-8"))
    assert told["broken"] == [], soak.output
    assert code == 0, soak.output
    assert told["ended"] == told["restored_or_said"] == told["next_goal_ok"] == told["kills"] > 0
    assert told["answered"] == told["goals"] > told["kills"]
    assert told["stale_successes"] == told["processes_lost"] == 0
