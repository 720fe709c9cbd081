"""Copies of recordings: what is in them once, and what is left when one fails."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from recorded_words import START_NS, FullDisk, by_rosbags, cdr, said, texts, topic, write, write_split

from dasha_ros.recording.reader import Recording
from dasha_ros.recording.recover import recover
from dasha_ros.recording.writer import RecordingError, RecordingWriter


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A closed file of 40 texts in chunks of five or six."""
    write(tmp_path / "rec", texts(40))
    return tmp_path / "rec" / "rec_0.mcap"


@pytest.fixture
def split(tmp_path: Path) -> Path:
    return write_split(tmp_path / "kit")


def test_what_latched_topics_repeat_is_copied_once(split: Path, tmp_path: Path) -> None:
    assert said(Recording(split)).count("known 0") > 1
    assert recover(split, tmp_path / "copy") == (62, [])
    found = [text for name, _, text in by_rosbags(tmp_path / "copy") if name == "/dasha/latched"]
    assert found == ["known 0", "known 30"]


def test_a_repeat_is_kept_where_it_is_all_that_is_left(split: Path, tmp_path: Path) -> None:
    first = next(path for path in sorted(split.glob("*.mcap")) if "known 30" in said(Recording(path)))
    shutil.move(first, tmp_path / "elsewhere")
    recover(split, tmp_path / "copy")
    assert "known 30" in [text for _, _, text in by_rosbags(tmp_path / "copy")]


def test_messages_that_were_really_sent_twice_are_copied_twice(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "rec")
    writer.add_topic(topic())
    for _ in range(2):
        writer.write("/dasha/words", cdr("again"), START_NS, START_NS)
    writer.close()
    assert recover(tmp_path / "rec", tmp_path / "copy") == (2, [])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_copy_that_fails_leaves_nothing_and_can_be_tried_again(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_there: bool
) -> None:
    target = tmp_path / "copy"
    if is_there:
        target.mkdir()
    monkeypatch.setattr(os, "write", FullDisk(target, 30_000, reserve=0, broken=number))
    with pytest.raises(RecordingError, match="can't be filled, and nothing is left there") as refused:
        recover(closed, target)
    monkeypatch.undo()
    assert "--recover" not in str(refused.value)
    assert target.exists() == is_there
    assert not is_there or list(target.iterdir()) == []
    assert recover(closed, target) == (40, [])


def test_an_interrupted_copy_leaves_nothing(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RecordingWriter, "_check_size", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recover(closed, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_target_in_use_is_not_touched(closed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").touch()
    with pytest.raises(RecordingError, match="is not empty"):
        recover(closed, tmp_path / "mine")
    assert (tmp_path / "mine" / "text").exists()
