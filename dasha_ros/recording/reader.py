"""Reads recordings, whoever wrote them and however they ended.

The files are read from begin to end without their index, which a killed recorder never wrote. What is whole
is used; what is not is named.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import lz4.frame
import zstandard
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.well_known import MessageEncoding
from mcap.writer import MCAP0_MAGIC
from mcap_ros2.decoder import DecoderFactory

from dasha_ros.files.content import placeholder
from dasha_ros.files.errors import FileError, first_line, shown
from dasha_ros.files.naming import expanded
from dasha_ros.files.regular import open_regular
from dasha_ros.recording.writer import RecordingError

MOST_BYTES = 1 << 40
_MOST_CHUNK = 1 << 29
"""A chunk that is larger, packed or unpacked, is refused: it would fill the memory."""
_NEEDED = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.CHUNK)
_BROKEN = (
    McapError,
    struct.error,
    ValueError,
    zstandard.ZstdError,
    RuntimeError,
    StopIteration,
    OverflowError,
    MemoryError,
)
"""What the libraries raise for damaged bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is."""

    file: int
    """Number of the file in its recording."""
    offset: int
    """Byte at which its record, or that of its chunk, begins."""
    index: int
    """Its number among the messages of the chunk."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message of a recording."""

    topic: str
    kind: str
    """``package/msg/Type``; empty if the file does not say."""
    log_ns: int
    publish_ns: int
    data: bytes
    place: Place
    channel: Channel
    schema: Schema | None


class Recording:
    """A recording: a file, or a folder of files that follow one another."""

    def __init__(self, path: str | Path) -> None:
        """Find the files.

        Raises:
            RecordingError: There is no recording.
        """
        self.path = expanded(path, RecordingError)
        self.files = _files(self.path)
        self.troubles: list[str] = []
        """What was found damaged while reading, a sentence each; see `messages`."""
        self._decoders = [DecoderFactory() for _ in self.files]
        """A file numbers its schemas for itself."""

    def messages(self) -> Iterator[Recorded]:
        """All messages, in the order in which they were recorded; damage ends a file and becomes a trouble.

        Raises:
            RecordingError: A file is no MCAP file or can't be read.
        """
        self.troubles.clear()
        for number, path in enumerate(self.files):
            try:
                with open_regular(path, MOST_BYTES) as stream:
                    yield from self._messages(number, path, stream)
            except FileError as error:
                raise RecordingError(str(error)) from error

    def decode(self, message: Recorded) -> Any:
        """A message as an object with its fields.

        Raises:
            RecordingError: The definition of its type is missing or of an unknown form, or the message is not
                of this type.
        """
        what = f"{shown(self.path)}: a message of {shown(message.topic)}"
        try:
            decode = self._decoders[message.place.file].decoder_for(
                message.channel.message_encoding, message.schema
            )
            if decode is None:
                form = message.schema.encoding if message.schema else "none"
                raise RecordingError(
                    f"{what} can't be read: its encoding is {shown(message.channel.message_encoding)!r} and "
                    f"its definition {shown(form)!r}, not {MessageEncoding.CDR!r} and 'ros2msg'"
                )
            return decode(message.data)
        except RecordingError:
            raise
        except Exception as error:  # Bytes from anywhere; the decoder raises whatever Python does.
            raise RecordingError(
                f"{what} is damaged: it is no {message.kind} ({first_line(error)})"
            ) from error

    def read(self, place: Place) -> bytes:
        """Read a message again.

        Raises:
            RecordingError: The file is gone or changed.
        """
        path = self.files[place.file]
        try:
            with open_regular(path, MOST_BYTES) as stream:
                stream.seek(place.offset)
                _, records = _next_record(stream, os.fstat(stream.fileno()).st_size)
                return [r for r in records if isinstance(r, Message)][place.index].data
        except (*_BROKEN, _Cut, FileError, OSError, IndexError) as error:
            raise RecordingError(f"{shown(path)} changed since it was opened: {first_line(error)}") from error

    def _messages(self, number: int, path: Path, stream: IO[bytes]) -> Iterator[Recorded]:
        size = os.fstat(stream.fileno()).st_size
        if (head := stream.read(len(MCAP0_MAGIC))) != MCAP0_MAGIC:
            why = placeholder(head + stream.read(4096))
            raise RecordingError(f"{shown(path)} {why or 'is no MCAP file'}")
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        while True:
            offset = stream.tell()
            try:
                opcode, inside = _next_record(stream, size)
                if opcode == Opcode.FOOTER and stream.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                    raise _Cut
            except _Cut:
                self._damaged(path, offset, size, "its recorder was killed, or it was copied in part")
                return
            except _BROKEN as error:
                self._damaged(path, offset, size, first_line(error))
                return
            if opcode == Opcode.FOOTER:
                return
            index = 0
            for record in inside:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    place, index = Place(number, offset, index), index + 1
                    if (channel := channels.get(record.channel_id)) is not None:
                        yield _recorded(record, place, channel, schemas.get(channel.schema_id))

    def _damaged(self, path: Path, offset: int, size: int, why: str) -> None:
        self.troubles.append(
            f"{shown(path)} ends unclosed after {offset} of {size} bytes ({why}): what comes before is used; "
            f"`dasha record --recover {shown(self.path)}` makes a closed copy for other tools"
        )


class _Cut(Exception):
    """The file ends inside a record, or before its last one."""


def _recorded(message: Message, place: Place, channel: Channel, schema: Schema | None) -> Recorded:
    return Recorded(
        channel.topic,
        schema.name if schema else "",
        message.log_time,
        message.publish_time,
        message.data,
        place,
        channel,
        schema,
    )


def _next_record(stream: IO[bytes], size: int) -> tuple[int, list[McapRecord]]:
    """The kind of the next record, and what is in it if it may hold messages.

    The library gets a record alone: lengths inside it may lie, and it would try to allocate them.

    Raises:
        _Cut: There is no whole record left.
        Exception: One of `_BROKEN`: the record is damaged, or holds more than it may.
    """
    head = stream.read(9)
    if len(head) < 9:
        raise _Cut
    opcode, length = struct.unpack("<BQ", head)
    if length > size - stream.tell():
        raise _Cut
    if opcode not in _NEEDED:
        stream.seek(length, os.SEEK_CUR)
        return opcode, []
    if length > _MOST_CHUNK:
        raise ValueError(f"a record of {length} bytes is longer than {_MOST_CHUNK}")
    record = BytesIO(head + stream.read(length))
    return opcode, _unpacked(next(iter(StreamReader(record, skip_magic=True, emit_chunks=True).records)))


def _unpacked(record: McapRecord) -> list[McapRecord]:
    """The records in a chunk, or the record itself.

    Raises:
        ValueError: The chunk holds more than it may.
    """
    if not isinstance(record, Chunk):
        return [record]
    data = record.data
    if record.compression == "zstd":
        data = zstandard.ZstdDecompressor().stream_reader(BytesIO(data)).read(_MOST_CHUNK + 1)
    elif record.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=_MOST_CHUNK + 1)
    elif record.compression:
        raise ValueError(f"compression {shown(record.compression)!r} is unknown")
    if len(data) > _MOST_CHUNK or len(data) != record.uncompressed_size:
        raise ValueError(f"a chunk unpacks to another size than its {record.uncompressed_size} bytes")
    record.data, record.compression = data, ""
    return breakup_chunk(record, validate_crc=True)


def _files(path: Path) -> tuple[Path, ...]:
    try:
        if not path.is_dir():
            with open_regular(path, MOST_BYTES):
                return (path,)
        files = sorted(path.glob("*.mcap"), key=_by_number)
    except FileError as error:
        raise RecordingError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{shown(path)} can't be read: {error.strerror or error}") from error
    if not files:
        raise RecordingError(
            f"{shown(path)} holds no MCAP file: give a file, or the folder that `dasha record` wrote"
        )
    return tuple(files)


def _by_number(path: Path) -> tuple[int, str]:
    number = re.search(r"_(\d+)$", path.stem)
    return (int(number.group(1)) if number else -1), path.name
