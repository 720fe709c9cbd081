"""Segments of dead processes are removed, those of living ones stay."""

from __future__ import annotations

import fcntl
from types import SimpleNamespace

from dasha_ros.bringup.environment import shared_memory_needed
from dasha_ros.system import shared_memory
from dasha_ros.system.shared_memory import remove_dead_segments


def test_only_segments_of_dead_processes_are_removed(tmp_path):
    names = ["fastrtps_0a", "fastrtps_0a_el", "fastdds_0b", "fastdds_0b_el", "fastrtps_port7411_el"]
    for name in [*names, "fastrtps_alive", "fastrtps_alive_el", "sem.other", "fastrtps_without_lock"]:
        (tmp_path / name).touch()
    with (tmp_path / "fastrtps_alive_el").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        removed = remove_dead_segments(tmp_path)
    assert sorted(p.name for p in removed) == ["fastdds_0b", "fastrtps_0a"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fastrtps_alive",
        "fastrtps_alive_el",
        "fastrtps_port7411_el",
        "fastrtps_without_lock",
        "sem.other",
    ]


def test_a_warning_says_that_frames_will_not_fit_into_shared_memory(monkeypatch, tmp_path):
    needed = shared_memory_needed(8)
    assert 32 * 2**20 < needed < 64 * 2**20, "a container's 64 MB hold a graph"
    for free, says in ((needed, ""), (needed - 1, "--shm-size")):
        monkeypatch.setattr(
            shared_memory.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free)
        )
        assert says in shared_memory.shortage(needed)
        assert bool(shared_memory.shortage(needed)) == bool(says)
    monkeypatch.undo()
    assert "No such file" in shared_memory.shortage(1, tmp_path / "nowhere")
