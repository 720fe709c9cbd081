"""Makes a closed copy of a recording whose recorder was killed or whose disk failed."""

from __future__ import annotations

import errno
from pathlib import Path

from dasha_ros.files.errors import shown
from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.reader import Recorded, Recording
from dasha_ros.recording.writer import RecordingError, RecordingWriter


def recover(path: Path, target: Path) -> tuple[int, list[str]]:
    """Copy every whole message.

    Args:
        path: The recording; it is not changed.
        target: A new folder.

    Returns:
        The number of messages, and what was damaged.

    Raises:
        RecordingError: There is no recording, nothing in it is whole, or the target is in use or full.
    """
    recording = Recording(path)
    writer: RecordingWriter | None = None
    try:
        for message in recording.messages():
            writer = writer or RecordingWriter(target)
            writer.add_topic(_topic(message))
            writer.write(message.topic, message.data, message.log_ns, message.publish_ns)
            if writer.ended:
                break
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise RecordingError(f"{shown(path)} holds no whole message: there is nothing to recover")
    if writer.ended:
        # Without a limit, only the disk ends it.
        raise RecordingError(writer.ended) from OSError(errno.ENOSPC, writer.ended)
    return writer.messages, list(recording.troubles)


def _topic(message: Recorded) -> Topic:
    schema = message.schema
    return Topic(
        message.topic,
        message.kind,
        schema.data.decode("utf-8", "replace") if schema else "",
        message.channel.metadata.get("offered_qos_profiles", ""),
        encoding=schema.encoding if schema else "",
    )
