"""A folder that is locked, and one that can't be."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from dasha_ros.files.locking import folder_locked


def test_the_second_is_told_who_is_there_and_the_next_is_not(tmp_path: Path) -> None:
    with (
        folder_locked(tmp_path / "new", RuntimeError, "busy"),
        pytest.raises(RuntimeError, match="busy"),
        folder_locked(tmp_path / "new", RuntimeError, "busy"),
    ):
        pass
    with folder_locked(tmp_path / "new", RuntimeError, "busy"):
        pass


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(RuntimeError, match=f"{tmp_path}.*No locks"),
        folder_locked(tmp_path, RuntimeError, "busy"),
    ):
        pass


def test_what_the_block_raises_is_not_changed(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="own"), folder_locked(tmp_path, RuntimeError, "busy"):
        raise OSError("own")
