"""Files of other recorders, truncated ones, and files that mean harm."""

from __future__ import annotations

import contextlib
import struct
import tempfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType
from recorded_words import MAGIC, foreign, write

from dasha_ros.recording.reader import Recording
from dasha_ros.recording.recover import recover
from dasha_ros.recording.writer import RecordingError


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize("chunked", [True, False])
def test_other_recorders_files_are_read(tmp_path: Path, compression: CompressionType, chunked: bool) -> None:
    path = tmp_path / "theirs.mcap"
    foreign(path, compression=compression, use_chunking=chunked, chunk_size=100)
    recording = Recording(path)
    found = list(recording.messages())
    assert [recording.decode(message).data for message in found] == [str(number) for number in range(20)]
    assert all(recording.read(message.place) == message.data for message in found)
    assert not recording.troubles


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole") / "rec"
    write(folder, [f"{number} " + "x" * 3000 for number in range(40)])
    return (folder / "rec_0.mcap").read_bytes()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_gives_its_first_messages_and_one_sentence(
    whole: bytes, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(8, len(whole) - 1))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "cut.mcap"
        path.write_bytes(whole[:cut])
        recording = Recording(path)
        texts = [recording.decode(message).data for message in recording.messages()]
    assert texts == [f"{number} " + "x" * 3000 for number in range(len(texts))]
    (trouble,) = recording.troubles
    assert f"of {cut} bytes" in trouble
    assert "--recover" in trouble


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_never_raise_anything_else(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "bad.mcap"
        path.write_bytes(damaged)
        recording = Recording(path)
        with contextlib.suppress(RecordingError):
            for message in recording.messages():
                recording.decode(message)


def chunk(data: bytes, compression: str, claimed: int) -> bytes:
    name = compression.encode()
    body = struct.pack("<QQQII", 0, 0, claimed, 0, len(name)) + name + struct.pack("<Q", len(data)) + data
    return b"\x06" + struct.pack("<Q", len(body)) + body


@pytest.mark.parametrize("length", [1 << 40, 1 << 62, (1 << 64) - 1])
def test_a_chunk_that_claims_more_bytes_than_there_are_is_damage(tmp_path: Path, length: int) -> None:
    record = bytearray(chunk(b"12345678", "", 8))
    record[-16:-8] = struct.pack("<Q", length)
    (tmp_path / "claims.mcap").write_bytes(MAGIC + bytes(record))
    with contextlib.suppress(RecordingError):
        assert list(Recording(tmp_path / "claims.mcap").messages()) == []


@pytest.mark.parametrize("claimed", [10, 1 << 40])
def test_a_chunk_that_unpacks_to_more_than_memory_is_not_unpacked(tmp_path: Path, claimed: int) -> None:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    block = bytes(1 << 24)
    bomb = b"".join(packer.compress(block) for _ in range(40)) + packer.flush()
    assert len(bomb) < 200_000
    (tmp_path / "bomb.mcap").write_bytes(MAGIC + chunk(bomb, "zstd", claimed))
    recording = Recording(tmp_path / "bomb.mcap")
    assert list(recording.messages()) == []
    (trouble,) = recording.troubles
    assert "a chunk unpacks to another size" in trouble


def test_unknown_compression_and_wrong_checksum_are_named(tmp_path: Path) -> None:
    (tmp_path / "odd.mcap").write_bytes(MAGIC + chunk(b"abc", "brotli", 3))
    recording = Recording(tmp_path / "odd.mcap")
    assert list(recording.messages()) == []
    assert "compression 'brotli' is unknown" in recording.troubles[0]
    body = struct.pack("<QQQII", 0, 0, 3, zlib.crc32(b"xyz"), 0) + struct.pack("<Q", 3) + b"abc"
    (tmp_path / "crc.mcap").write_bytes(MAGIC + b"\x06" + struct.pack("<Q", len(body)) + body)
    recording = Recording(tmp_path / "crc.mcap")
    assert list(recording.messages()) == []
    assert "crc" in recording.troubles[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty: copy or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a Git LFS pointer"),
        (bytes(5000), "holds only zeros"),
        (b"PNG", "is no MCAP file"),
        (b"#ROSBAG V2.0\n" + bytes(99), "is no MCAP file"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=rf"x\.mcap {reason}"):
        list(Recording(path).messages())


def test_missing_files_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no such file"):
        Recording(tmp_path / "none")
    with pytest.raises(RecordingError, match="holds no MCAP file: give a file, or the folder"):
        Recording(tmp_path)
    (tmp_path / "empty.mcap").write_bytes(MAGIC)
    with pytest.raises(RecordingError, match="holds no whole message: there is nothing to recover"):
        recover(tmp_path / "empty.mcap", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_definitions_in_other_forms_are_named(tmp_path: Path) -> None:
    foreign(tmp_path / "idl.mcap", encoding="ros2idl")
    recording = Recording(tmp_path / "idl.mcap")
    message = next(recording.messages())
    with pytest.raises(RecordingError, match="its definition 'ros2idl', not 'cdr' and 'ros2msg'"):
        recording.decode(message)
    assert recover(tmp_path / "idl.mcap", tmp_path / "copy") == (20, [])
    assert next(Recording(tmp_path / "copy").messages()).schema.encoding == "ros2idl"
