"""Makes a closed copy of what is whole in a recording: its recorder was killed, or its disk failed."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

from dasha_ros.files.errors import shown
from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.reader import Recorded, Recording
from dasha_ros.recording.writer import RecordingError, RecordingWriter


def recover(path: Path, target: Path) -> tuple[int, list[str]]:
    """Copy every whole message.

    A latched message that each part of a split recording repeats is copied once.

    Args:
        path: The recording; it is not changed.
        target: A new folder. If the copy fails, nothing is left there.

    Returns:
        The number of messages, and what was damaged or missing.

    Raises:
        RecordingError: There is no recording, nothing in it is whole, or the target is in use or full.
    """
    recording = Recording(path)
    writer: RecordingWriter | None = None
    latest: dict[str, Recorded] = {}
    try:
        for message in recording.messages():
            before, latest[message.topic] = latest.get(message.topic), message
            if before is not None and _repeats(message, before):
                continue
            writer = writer or RecordingWriter(target)
            writer.add_topic(_topic(message))
            writer.write(message.topic, message.data, message.log_ns, message.publish_ns)
            if writer.ended:
                break
        if writer is None:
            lost = "".join(f". {sentence}" for sentence in recording.damage)
            raise RecordingError(f"{shown(path)} holds no whole message: there is nothing to recover{lost}")
        writer.close()
        if writer.ended:
            # Without a limit, only the disk ends it.
            raise RecordingError(
                f"{shown(target)} can't be filled, and nothing is left there: its disk is full or broken. "
                "Make room, or give a folder elsewhere with --output"
            ) from OSError(errno.ENOSPC, writer.ended)
    except BaseException:
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.discard()
        raise
    return writer.messages, list(recording.damage)


def _repeats(message: Recorded, before: Recorded) -> bool:
    """Whether a file begins with the last message of a topic in the files before it."""
    return message.place.file > before.place.file and (
        (message.log_ns, message.publish_ns, message.data) == (before.log_ns, before.publish_ns, before.data)
    )


def _topic(message: Recorded) -> Topic:
    schema = message.schema
    return Topic(
        message.topic,
        message.kind,
        schema.data.decode("utf-8", "replace") if schema else "",
        message.channel.metadata.get("offered_qos_profiles", ""),
        encoding=schema.encoding if schema else "",
    )
