"""Serialized messages made by hand, and what independent readers find in a recording."""

from __future__ import annotations

import struct
from pathlib import Path

from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.writer import RecordingWriter

KIND = "std_msgs/msg/String"
_FOREVER = "\n    sec: 9223372036\n    nsec: 854775807\n"
QOS = (
    f"- history: 1\n  depth: 5\n  reliability: 1\n  durability: 2\n  deadline:{_FOREVER}  lifespan:{_FOREVER}"
    f"  liveliness: 1\n  liveliness_lease_duration:{_FOREVER}  avoid_ros_namespace_conventions: false"
)
START_NS = 1_700_000_000_000_000_000


def topic(name: str = "/dasha/words", latched: bool = False) -> Topic:
    return Topic(name, KIND, "string data\n", QOS, latched)


def cdr(text: str) -> bytes:
    """A ``std_msgs/String``, serialized (little endian)."""
    content = text.encode() + b"\0"
    return b"\0\1\0\0" + struct.pack("<I", len(content)) + content


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
