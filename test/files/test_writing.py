"""Files are written whole or not at all, and a disk that refuses is explained."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from dasha_ros.files.writing import disk_errors, disk_failed, replacing, write_whole


class WrittenError(Exception):
    """Of these tests."""


def test_a_file_is_replaced_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "{}")
    write_whole(path, b"[1]", durable=True)
    assert path.read_bytes() == b"[1]"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_whatever_fails_the_old_content_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_whole(path, b"old")

    def interrupted() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("number", "failed"), [(errno.ENOSPC, True), (errno.EIO, True), (errno.EACCES, False)]
)
def test_a_disk_that_fails_is_told_from_a_place_that_may_not_be_written(number: int, failed: bool) -> None:
    with pytest.raises(WrittenError) as caught, disk_errors(WrittenError, Path("/there")):
        raise OSError(number, os.strerror(number))
    assert disk_failed(caught.value) is failed


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk of /there is full: free space and go on"),
        (errno.EDQUOT, "the disk of /there is full: free space and go on"),
        (errno.EACCES, "/there can't be written: Permission denied"),
    ],
)
def test_what_a_disk_refuses_is_a_sentence(number: int, says: str) -> None:
    with (
        pytest.raises(WrittenError, match=f"^{says}$"),
        disk_errors(WrittenError, Path("/there"), " and go on"),
    ):
        raise OSError(number, os.strerror(number))
