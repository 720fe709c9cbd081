"""Files that a split recording lacks are named, and nothing is called missing that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_words import START_NS, cdr, texts, topic

from dasha_ros.recording.reader import Recording
from dasha_ros.recording.recover import recover
from dasha_ros.recording.writer import RecordingWriter


@pytest.fixture
def split(tmp_path: Path) -> Path:
    writer = RecordingWriter(tmp_path / "kit", split_bytes=8_000)
    writer.add_topic(topic())
    for number, text in enumerate(texts(200)):
        writer.write("/dasha/words", cdr(text), START_NS + number, START_NS)
        if len(writer.parts) == 6 and writer.parts[-1].messages > 2:
            break
    writer.close()
    return tmp_path / "kit"


def troubles(path: Path) -> list[str]:
    recording = Recording(path)
    assert list(recording.messages())
    return recording.troubles


def test_a_whole_recording_lacks_nothing(split: Path) -> None:
    assert troubles(split) == []


@pytest.mark.parametrize("number", [0, 2, 5])
def test_the_metadata_tell_which_file_is_missing(split: Path, tmp_path: Path, number: int) -> None:
    (split / f"kit_{number}.mcap").unlink()
    wanted = f"1 of the 6 files of {split} is missing (kit_{number}.mcap)"
    (trouble,) = troubles(split)
    assert wanted in trouble
    count, (sentence,) = recover(split, tmp_path / "copy")
    assert wanted in sentence
    assert count > 0
    assert troubles(tmp_path / "copy") == []


@pytest.mark.parametrize("metadata", [None, "", "no: yaml: [", "rosbag2_bagfile_information: 3\n", "- a\n"])
def test_a_gap_in_the_numbers_tells_it_too(split: Path, metadata: str | None) -> None:
    if metadata is None:
        (split / "metadata.yaml").unlink()
    else:
        (split / "metadata.yaml").write_text(metadata, encoding="utf-8")
    for number in (0, 2, 3):
        (split / f"kit_{number}.mcap").unlink()
    (trouble,) = troubles(split)
    assert "3 of the 6 files" in trouble
    assert "are missing (kit_0.mcap, kit_2.mcap, kit_3.mcap)" in trouble


def test_renamed_files_are_not_missing(split: Path) -> None:
    for path in split.glob("*.mcap"):
        path.rename(split / path.name.replace("kit", "kitchen"))
    assert troubles(split) == []
    (split / "kitchen_3.mcap").unlink()
    assert "1 of the 6 files" in troubles(split)[0]


@pytest.mark.parametrize(
    "names",
    [
        ("left_0.mcap", "right_7.mcap"),
        ("kit_2023.mcap", "kit_2025.mcap"),
        ("kit_0912.mcap", "kit_0915.mcap"),
        ("run_1.mcap", "run_3.mcap"),
        ("kit_20260101.mcap", "kit_20260105.mcap"),
        ("a.mcap", "b.mcap"),
        ("kit_3.mcap",),
    ],
)
def test_names_that_do_not_count_are_no_gaps(split: Path, names: tuple[str, ...]) -> None:
    (split / "metadata.yaml").unlink()
    kept = sorted(split.glob("*.mcap"))
    for path in kept[len(names) :]:
        path.unlink()
    moved = [path.rename(split / f"{index}.moved") for index, path in enumerate(kept[: len(names)])]
    for path, name in zip(moved, names, strict=True):
        path.rename(split / name)
    assert troubles(split) == []


def test_a_file_given_alone_lacks_nothing(split: Path) -> None:
    (split / "kit_0.mcap").unlink()
    assert troubles(split / "kit_1.mcap") == []
