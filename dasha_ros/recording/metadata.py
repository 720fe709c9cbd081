"""The ``metadata.yaml`` of a recording, which ``ros2 bag`` and rosbags read first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dasha_ros.files.writing import write_whole

FILE = "metadata.yaml"
_VERSION = 5
"""Of the format: every ROS 2 since Humble reads it."""


@dataclass(frozen=True)
class Topic:
    """A recorded topic."""

    name: str
    kind: str
    """``package/msg/Type``."""
    schema: str
    """Definition of the type with those of its parts."""
    qos: str = ""
    """What its publishers offer, as rosbag2 writes it (YAML)."""
    latched: bool = False
    """Its last message is what a late subscriber gets."""
    encoding: str = "ros2msg"
    """Form of the definition."""


@dataclass
class Part:
    """One file of a recording, and what is in it."""

    name: str
    first_ns: int = 0
    last_ns: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """Messages by topic."""
    size: int = 0
    """Bytes of the file, once it is closed."""

    @property
    def messages(self) -> int:
        """Messages of all topics."""
        return sum(self.counts.values())

    def add(self, topic: str, stamp_ns: int) -> None:
        """Count a message."""
        self.first_ns = min(self.first_ns, stamp_ns) if self.counts else stamp_ns
        self.last_ns = max(self.last_ns, stamp_ns)
        self.counts[topic] = self.counts.get(topic, 0) + 1


def write_metadata(folder: Path, topics: Sequence[Topic], parts: Sequence[Part]) -> None:
    """Write or replace the file.

    Raises:
        OSError: The disk refuses.
    """
    filled = [part for part in parts if part.counts]
    first = min((part.first_ns for part in filled), default=0)
    last = max((part.last_ns for part in filled), default=0)
    document = {
        "rosbag2_bagfile_information": {
            "version": _VERSION,
            "storage_identifier": "mcap",
            "relative_file_paths": [part.name for part in parts],
            "duration": {"nanoseconds": last - first},
            "starting_time": {"nanoseconds_since_epoch": first},
            "message_count": sum(part.messages for part in parts),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.kind,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": topic.qos,
                    },
                    "message_count": sum(part.counts.get(topic.name, 0) for part in parts),
                }
                for topic in topics
            ],
            "compression_format": "",
            "compression_mode": "",
            "files": [
                {
                    "path": part.name,
                    "starting_time": {"nanoseconds_since_epoch": part.first_ns},
                    "duration": {"nanoseconds": part.last_ns - part.first_ns},
                    "message_count": part.messages,
                }
                for part in parts
            ],
        }
    }
    write_whole(folder / FILE, yaml.safe_dump(document, sort_keys=False, width=100_000))
