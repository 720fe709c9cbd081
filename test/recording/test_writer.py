"""Recordings as independent readers see them: whole, split, limited, on a full and on a failing disk."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_words import (
    KIND,
    START_NS,
    FullDisk,
    by_mcap,
    by_rosbags,
    cdr,
    texts,
    topic,
    write,
)

from dasha_ros.recording.reader import Recording
from dasha_ros.recording.recover import recover
from dasha_ros.recording.writer import RecordingError, RecordingWriter

TESTS = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=50), min_size=1))
def test_other_libraries_read_what_was_written(said: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "rec"
        write(folder, said)
        stamps = [START_NS + number * 1_000_000 for number in range(len(said))]
        assert by_rosbags(folder) == [
            ("/dasha/words", stamp, text) for stamp, text in zip(stamps, said, strict=True)
        ]
        assert by_mcap(folder / "rec_0.mcap") == said


def test_our_reader_gives_times_types_and_the_message_again(tmp_path: Path) -> None:
    write(tmp_path / "rec", ["a", "b"])
    recording = Recording(tmp_path / "rec")
    first, second = recording.messages()
    assert (first.topic, first.kind, first.log_ns, first.publish_ns) == (
        "/dasha/words",
        KIND,
        START_NS,
        START_NS - 1,
    )
    assert recording.decode(second).data == "b"
    assert recording.read(first.place) == cdr("a")
    assert not recording.troubles


def test_noise_is_kept_as_it_is_and_everything_else_gets_small(tmp_path: Path) -> None:
    sizes = {}
    printable = "".join(map(chr, range(32, 127)))
    noise = "".join(Random(0).choices(printable, k=500_000))  # can be packed to 82 %
    for name, said in (("noise", noise), ("plain", "as before, " * 50_000)):
        write(tmp_path / name, [said])
        assert by_mcap(tmp_path / name / f"{name}_0.mcap") == [said]
        sizes[name] = (tmp_path / name / f"{name}_0.mcap").stat().st_size / len(said)
    assert sizes["plain"] < 0.05
    assert 0.95 < sizes["noise"] < 1.05


def test_files_of_a_split_recording_follow_one_another_and_can_be_read_alone(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "rec", split_bytes=40_000)
    writer.add_topic(topic())
    writer.add_topic(topic("/dasha/latched", latched=True))
    writer.write("/dasha/latched", cdr("known to all"), START_NS, START_NS)
    said = texts(60)
    for number, text in enumerate(said):
        writer.write("/dasha/words", cdr(text), START_NS + number, START_NS + number)
    writer.close()
    files = sorted(path.name for path in (tmp_path / "rec").glob("*.mcap"))
    assert files == [f"rec_{number}.mcap" for number in range(len(files))]
    assert len(files) > 2
    alone = [by_mcap(tmp_path / "rec" / name) for name in files]
    assert all(found[0] == "known to all" for found in alone)
    assert [text for found in alone for text in found if text != "known to all"] == said
    words = [text for name, _, text in by_rosbags(tmp_path / "rec") if name == "/dasha/words"]
    assert words == said
    assert [m.topic for m in Recording(tmp_path / "rec").messages()].count("/dasha/words") == 60


def test_the_metadata_count_what_the_files_hold(tmp_path: Path) -> None:
    """With the messages that a file repeats: whoever counts what is in the files finds as many."""
    writer = RecordingWriter(tmp_path / "rec", split_bytes=8_000)
    writer.add_topic(topic())
    writer.add_topic(topic("/dasha/latched", latched=True))
    writer.write("/dasha/latched", cdr("known to all"), START_NS, START_NS)
    for number, text in enumerate(texts(60)):
        writer.write("/dasha/words", cdr(text), START_NS + 1 + number, START_NS)
    writer.close()
    assert writer.messages == 61
    document = yaml.safe_load((tmp_path / "rec" / "metadata.yaml").read_text(encoding="utf-8"))
    told = document["rosbag2_bagfile_information"]
    held = {
        path: [(message.topic, message.log_ns) for message in Recording(tmp_path / "rec" / path).messages()]
        for path in told["relative_file_paths"]
    }
    assert len(held) > 3
    assert {part["path"]: part["message_count"] for part in told["files"]} == {
        path: len(found) for path, found in held.items()
    }
    for part in told["files"]:
        stamps = [stamp for _, stamp in held[part["path"]]]
        assert part["starting_time"]["nanoseconds_since_epoch"] == min(stamps)
        assert part["duration"]["nanoseconds"] == max(stamps) - min(stamps)
    assert told["message_count"] == sum(map(len, held.values())) == 60 + len(held)
    by_topic = {
        each["topic_metadata"]["name"]: each["message_count"] for each in told["topics_with_message_count"]
    }
    assert by_topic == {"/dasha/words": 60, "/dasha/latched": len(held)}


def test_recording_ends_at_its_limit_and_says_so(tmp_path: Path) -> None:
    writer = write(tmp_path / "rec", texts(500), limit_bytes=100_000)
    assert "the limit of 0.1 MB is reached" in writer.ended
    assert not writer.failed
    assert 100_000 <= writer.size < 150_000
    kept = by_mcap(tmp_path / "rec" / "rec_0.mcap")
    assert 0 < len(kept) < 500
    assert kept == texts(500)[: len(kept)]


@pytest.mark.parametrize("space", [50_000, 50_001, 61_234])
def test_full_disk_ends_a_recording_which_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: int
) -> None:
    folder = tmp_path / "rec"
    monkeypatch.setattr(os, "write", FullDisk(folder, space, reserve=200_000))
    writer = write(folder, texts(200))
    monkeypatch.undo()
    assert writer.failed
    assert "the disk" in writer.ended
    assert "is full" in writer.ended
    kept = by_mcap(folder / "rec_0.mcap")
    assert kept == texts(200)[: len(kept)]
    assert len(kept) > 10
    assert [text for _, _, text in by_rosbags(folder)] == kept
    assert not (folder / ".space-for-the-end").exists()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_failing_disk_leaves_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = tmp_path / "rec"
    monkeypatch.setattr(os, "write", FullDisk(folder, 50_000, reserve=0, broken=number))
    writer = write(folder, texts(200))
    monkeypatch.undo()
    assert writer.failed
    assert os.strerror(number) in writer.ended
    assert "--recover" in writer.ended
    recording = Recording(folder)
    kept = [recording.decode(message).data for message in recording.messages()]
    assert kept == texts(200)[: len(kept)]
    assert len(kept) > 10
    count, troubles = recover(folder, tmp_path / "again")
    assert count == len(kept)
    assert len(troubles) == 1
    assert [text for _, _, text in by_rosbags(tmp_path / "again")] == kept


def test_killed_recorder_loses_only_its_last_small_messages(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys; sys.path[:0] = sys.argv[2:]\n"
        "from recorded_words import START_NS, cdr, texts, topic\n"
        "from dasha_ros.recording.writer import RecordingWriter\n"
        "writer = RecordingWriter(pathlib.Path(sys.argv[1])); writer.add_topic(topic())\n"
        "for text in texts(100): writer.write('/dasha/words', cdr(text), START_NS, START_NS)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder = tmp_path / "rec"
    ended = subprocess.run([sys.executable, "-c", program, str(folder), *TESTS], check=False)
    assert ended.returncode == -signal.SIGKILL
    recording = Recording(folder)
    kept = [recording.decode(message).data for message in recording.messages()]
    assert kept == texts(100)[: len(kept)]
    assert len(kept) >= 94, "a chunk holds 16 kB, which is five of these messages"
    (trouble,) = recording.troubles
    assert "rec_0.mcap ends unclosed" in trouble
    assert f"dasha record --recover {folder}" in trouble


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RecordingError, match="is not empty: give a new folder"):
        RecordingWriter(tmp_path)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "x"
    with pytest.raises(RecordingError, match=r"mine\.txt is a file: give a new folder"):
        RecordingWriter(tmp_path / "mine.txt")
    with pytest.raises(RecordingError, match=r"mine\.txt/rec can't be recorded to: Not a directory"):
        RecordingWriter(tmp_path / "mine.txt" / "rec")


def test_disk_that_is_full_at_the_start_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RecordingError, match="can't be recorded to: No space left"):
        RecordingWriter(tmp_path / "rec")
    assert not (tmp_path / "rec").exists()


def test_a_disk_that_breaks_at_the_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "mine").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("dasha_ros.recording.disk.GrowingFile.write", broken)
        for name in ("new", "mine"):
            with pytest.raises(RecordingError, match="can't be recorded to: Input/output error"):
                RecordingWriter(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]
