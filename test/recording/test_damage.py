"""Damaged recordings: whatever is whole is read and copied, and whatever is lost is told."""

from __future__ import annotations

import errno
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_words import MAGIC, by_rosbags, foreign, said, texts, write, write_split

from dasha_ros.recording import reader as module
from dasha_ros.recording.reader import Recording
from dasha_ros.recording.recover import recover
from dasha_ros.recording.writer import RecordingError

CHUNK, FOOTER = 0x06, 0x02


def records(content: bytes) -> list[tuple[int, int, int]]:
    """Kind, first byte and end of every record of a file."""
    found, at = [], len(MAGIC)
    while at < len(content) - len(MAGIC):
        kind, length = struct.unpack_from("<BQ", content, at)
        found.append((kind, at, at + 9 + length))
        at += 9 + length
    return found


def chunks(content: bytes) -> list[tuple[int, int]]:
    return [(begin, end) for kind, begin, end in records(content) if kind == CHUNK]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A closed file of 40 texts in chunks of five or six."""
    write(tmp_path / "rec", texts(40))
    return tmp_path / "rec" / "rec_0.mcap"


def damage(path: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def test_a_damaged_chunk_is_left_out_and_later_ones_are_copied(closed: Path, tmp_path: Path) -> None:
    begin, end = chunks(closed.read_bytes())[2]
    inside = sum(message.place.offset == begin for message in Recording(closed).messages())
    assert 2 < inside < 10

    def flip(found: bytearray) -> None:
        found[(begin + end) // 2] ^= 1

    damage(closed, flip)
    count, troubles = recover(closed.parent, tmp_path / "copy")
    assert count == 40 - inside
    (trouble,) = troubles
    assert f"{closed} has 1 damaged record of {end - begin} bytes" in trouble
    assert f"has lost {inside} of its 40 messages: everything else is used" in trouble
    assert "killed" not in trouble
    kept = [text for _, _, text in by_rosbags(tmp_path / "copy")]
    assert kept == [text for text in texts(40) if text in kept]
    assert kept[-1] == texts(40)[-1]


def test_the_first_chunk_takes_no_definitions_with_it(closed: Path) -> None:
    """The end of a closed file repeats them."""
    begin, end = chunks(closed.read_bytes())[0]
    damage(closed, lambda found: found.__setitem__((begin + end) // 2, found[(begin + end) // 2] ^ 1))
    recording = Recording(closed)
    kept = said(recording)
    assert kept == texts(40)[40 - len(kept) :]
    assert 30 < len(kept) < 40


def test_messages_whose_definitions_are_gone_are_counted(closed: Path) -> None:
    found = chunks(closed.read_bytes())
    content = bytearray(closed.read_bytes()[: found[2][1]])
    content[sum(found[0]) // 2] ^= 1
    closed.write_bytes(content)
    recording = Recording(closed)
    assert said(recording) == []
    (trouble,) = recording.troubles
    assert "ends unclosed after" in trouble
    assert "messages, because the definition of their topic is damaged" in trouble


def test_a_damaged_length_ends_a_closed_file_with_true_words(closed: Path) -> None:
    begin, _ = chunks(closed.read_bytes())[2]
    damage(closed, lambda found: found.__setitem__(begin + 7, 0x7F))
    recording = Recording(closed)
    kept = said(recording)
    assert kept == texts(40)[: len(kept)]
    (trouble,) = recording.troubles
    size = closed.stat().st_size
    assert f"can't be read beyond {begin} of {size} bytes" in trouble
    assert "the length of a record there is wrong" in trouble
    assert f"has lost {40 - len(kept)} of its 40 messages" in trouble
    assert "killed" not in trouble


def test_zeros_after_a_power_failure_are_not_read_as_records(closed: Path) -> None:
    cut = chunks(closed.read_bytes())[2][0]
    closed.write_bytes(closed.read_bytes()[:cut] + bytes(100_000))
    recording = Recording(closed)
    kept = said(recording)
    assert kept == texts(40)[: len(kept)]
    assert f"ends unclosed after {cut} of" in recording.troubles[0]
    assert "there are zeros in place of a record" in recording.troubles[0]


@pytest.mark.parametrize("kind", [0x46, 0x07, 0x02, 0x0E, 0x86])
def test_a_chunk_that_calls_itself_something_else_is_told(closed: Path, kind: int) -> None:
    begin, _ = chunks(closed.read_bytes())[2]
    damage(closed, lambda found: found.__setitem__(begin, kind))
    recording = Recording(closed)
    kept = said(recording)
    assert 30 < len(kept) < 40
    assert f"has lost {40 - len(kept)} of its 40 messages" in recording.troubles[0]


@pytest.mark.parametrize(("kind", "is_told"), [(0x10, True), (0x7F, True), (0x80, False), (0xFF, False)])
def test_unknown_records_are_told_and_private_ones_are_not(closed: Path, kind: int, is_told: bool) -> None:
    begin, _ = chunks(closed.read_bytes())[2]
    content = closed.read_bytes()[: chunks(closed.read_bytes())[-1][1]]
    added = struct.pack("<BQ", kind, 3) + b"abc"
    closed.write_bytes(content[:begin] + added + content[begin:])
    recording = Recording(closed)
    assert said(recording) == texts(40)
    assert (f"is of an unknown kind, {kind:#04x}" in recording.troubles[0]) == is_told
    assert ("1 damaged record of 12 bytes" in recording.troubles[0]) == is_told


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("small") / "small.mcap"
    foreign(path, said=12, chunk_size=100)
    return path.read_bytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_bit_loses_a_message_without_a_word(small: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(len(MAGIC), len(small) - 1))
    damaged = bytearray(small)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "bad.mcap"
        path.write_bytes(damaged)
        recording = Recording(path)
        kept = said(recording)
    everything = [str(number) for number in range(12)]
    assert kept == [text for text in everything if text in kept]
    told = " ".join(recording.damage)
    if kept != everything:
        assert told
    else:
        assert "lost" not in told
    assert "EndOfFile" not in told
    assert "Error" not in told


class BrokenDisk:
    """Gives files whose bytes between two places can't be read."""

    def __init__(self, bad: range, opened: Callable[..., IO[bytes]]) -> None:
        self._bad, self._opened = bad, opened

    def __call__(self, path: Path, most_bytes: int) -> Any:
        stream, bad = self._opened(path, most_bytes), self._bad

        class Stream:
            def __enter__(self) -> Stream:
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

            def __getattr__(self, name: str) -> Any:
                return getattr(stream, name)

            def read(self, count: int) -> bytes:
                if stream.tell() < bad.stop and stream.tell() + count > bad.start:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return stream.read(count)

        return Stream()


def test_a_bad_sector_costs_only_what_is_in_it(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, end = chunks(closed.read_bytes())[2]
    middle = (begin + end) // 2
    monkeypatch.setattr(module, "open_regular", BrokenDisk(range(middle, middle + 9), module.open_regular))
    recording = Recording(closed)
    kept = said(recording)
    assert kept[-1] == texts(40)[-1]
    assert f"has lost {40 - len(kept)} of its 40 messages" in recording.troubles[0]
    assert "the disk can't read it: Input/output error" in recording.troubles[0]
    at_a_head = BrokenDisk(range(begin, begin + 9), module.open_regular)
    monkeypatch.undo()
    monkeypatch.setattr(module, "open_regular", at_a_head)
    kept = said(recording)
    assert kept == texts(40)[: len(kept)]
    assert "the disk can't read it: Input/output error" in recording.troubles[0]


@pytest.fixture
def split(tmp_path: Path) -> Path:
    return write_split(tmp_path / "kit")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (bytes(5000), "holds only zeros"), (b"#ROSBAG V2.0\n", "is no MCAP file")],
)
def test_one_unreadable_file_of_several_is_named_and_the_others_are_copied(
    split: Path, tmp_path: Path, content: bytes, reason: str
) -> None:
    alone = said(Recording(split / "kit_1.mcap"))
    (split / "kit_1.mcap").write_bytes(content)
    recording = Recording(split)
    words = [text for text in said(recording) if not text.startswith("known")]
    assert words == [text for text in texts(60) if text not in alone]
    (trouble,) = recording.troubles
    assert f"kit_1.mcap {reason}" in trouble
    assert f"dasha record --recover {split}" in trouble
    count, troubles = recover(split, tmp_path / "copy")
    assert count == len(words) + 2
    assert [reason in sentence for sentence in troubles] == [True]


def test_a_file_that_may_not_be_opened_is_as_good_as_damaged(split: Path, tmp_path: Path) -> None:
    (split / "kit_1.mcap").unlink()
    (split / "kit_1.mcap").mkdir()
    count, (trouble,) = recover(split, tmp_path / "copy")
    assert 40 < count < 62
    assert "kit_1.mcap: is a folder, not a file" in trouble


def test_a_recording_without_any_readable_file_is_refused(split: Path, tmp_path: Path) -> None:
    for path in split.glob("*.mcap"):
        path.write_bytes(b"")
    with pytest.raises(RecordingError, match=r"kit_0\.mcap is empty.* more files can't be used either"):
        recover(split, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_file_that_is_cut_while_it_is_read_is_told_in_plain_words(closed: Path) -> None:
    recording = Recording(closed)
    first, *_, last = recording.messages()
    whole = closed.read_bytes()
    closed.write_bytes(whole[: len(whole) // 2])
    for message in (first, last):
        with pytest.raises(
            RecordingError, match=rf"changed since it was opened: only \d+ of its {len(whole)} bytes are left"
        ):
            recording.read(message.place)
    closed.write_bytes(whole[:20] + bytes(len(whole)))
    with pytest.raises(RecordingError, match="changed since it was opened: there are zeros in place"):
        recording.read(last.place)
    closed.write_bytes(whole)
    recording.check_unchanged()
    assert recording.read(last.place) == last.data
