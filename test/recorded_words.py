"""Serialized messages made by hand, and what independent readers find in a recording."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from random import Random

from mcap.writer import Writer

from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.reader import Recording
from dasha_ros.recording.writer import RecordingWriter

KIND = "std_msgs/msg/String"
_FOREVER = "\n    sec: 9223372036\n    nsec: 854775807\n"
QOS = (
    f"- history: 1\n  depth: 5\n  reliability: 1\n  durability: 2\n  deadline:{_FOREVER}  lifespan:{_FOREVER}"
    f"  liveliness: 1\n  liveliness_lease_duration:{_FOREVER}  avoid_ros_namespace_conventions: false"
)
MAGIC = bytes([137, 77, 67, 65, 80, 48, 13, 10])
START_NS = 1_700_000_000_000_000_000


def topic(name: str = "/dasha/words", latched: bool = False) -> Topic:
    return Topic(name, KIND, "string data\n", QOS, latched)


def cdr(text: str) -> bytes:
    """A ``std_msgs/String``, serialized (little endian)."""
    content = text.encode() + b"\0"
    return b"\0\1\0\0" + struct.pack("<I", len(content)) + content


def texts(count: int) -> list[str]:
    """Texts of 3000 characters that zstd hardly packs."""
    return [f"{number} {Random(number).randbytes(1500).hex()}" for number in range(count)]


def write(
    folder: Path, texts: list[str], name: str = "/dasha/words", *, split_bytes: int = 0, limit_bytes: int = 0
) -> RecordingWriter:
    """Write texts, a millisecond apart, and close."""
    writer = RecordingWriter(folder, split_bytes=split_bytes, limit_bytes=limit_bytes)
    writer.add_topic(topic(name))
    for number, text in enumerate(texts):
        stamp = START_NS + number * 1_000_000
        writer.write(name, cdr(text), stamp, stamp - 1)
    writer.close()
    return writer


def write_split(folder: Path) -> Path:
    """A recording of several files, each of which begins with what a latched topic said last."""
    writer = RecordingWriter(folder, split_bytes=12_000)
    writer.add_topic(topic())
    writer.add_topic(topic("/dasha/latched", latched=True))
    for number, text in enumerate(texts(60)):
        if number % 30 == 0:
            writer.write("/dasha/latched", cdr(f"known {number}"), START_NS + number, START_NS)
        writer.write("/dasha/words", cdr(text), START_NS + number, START_NS)
    writer.close()
    assert len(list(folder.glob("*.mcap"))) > 4
    return folder


def said(recording: Recording) -> list[str]:
    """Texts of all messages, as our reader finds them."""
    return [recording.decode(message).data for message in recording.messages()]


def by_rosbags(folder: Path) -> list[tuple[str, int, str]]:
    """Topic, time and text of every message, as the library rosbags reads a folder."""
    from rosbags.highlevel import AnyReader

    with AnyReader([folder]) as reader:
        return [
            (connection.topic, stamp, reader.deserialize(data, connection.msgtype).data)
            for connection, stamp, data in reader.messages()
        ]


def by_mcap(path: Path) -> list[str]:
    """Texts of a single file, as the library mcap reads it by its index."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    with path.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        return [text.data for *_, text in reader.iter_decoded_messages()]


def foreign(path: Path, *, encoding: str = "ros2msg", said: int = 20, **options: object) -> None:
    """A file of the library mcap, as other recorders write it."""
    with path.open("wb") as stream:
        writer = Writer(stream, **options)
        writer.start(profile="ros2", library="another")
        schema = writer.register_schema("std_msgs/msg/String", encoding, b"string data")
        channel = writer.register_channel("/other", "cdr", schema)
        for number in range(said):
            writer.add_message(channel, START_NS + number, cdr(str(number)), START_NS)
        writer.finish()


class FullDisk:
    """`os.write` of a disk with little space, which grows when the reserve is given back."""

    def __init__(self, folder: Path, space: int, reserve: int, broken: int = errno.ENOSPC) -> None:
        self._folder, self._space, self._reserve, self._error = folder, space, reserve, broken
        self._write = os.write

    def __call__(self, handle: int, data: memoryview) -> int:
        if not (self._folder / ".space-for-the-end").exists():
            self._space, self._reserve = self._space + self._reserve, 0
        if self._space == 0:
            raise OSError(self._error, os.strerror(self._error))
        count = self._write(handle, data[: self._space])
        self._space -= count
        return count
