"""Reads recordings, whoever wrote them and however they ended.

The files are read from begin to end without their index, which a killed recorder never wrote. What is whole
is used; what is not is named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mcap.opcode import Opcode
from mcap.records import Channel, Message, Schema
from mcap.well_known import MessageEncoding
from mcap.writer import MCAP0_MAGIC
from mcap_ros2.decoder import DecoderFactory

from dasha_ros.files.content import placeholder
from dasha_ros.files.errors import FileError, first_line, shown
from dasha_ros.files.naming import expanded
from dasha_ros.files.regular import check_regular, open_regular
from dasha_ros.recording.damage import Damage
from dasha_ros.recording.folder import MOST_BYTES, missing_files, recording_files
from dasha_ros.recording.records import CUT, NoRecordError, next_piece, read_summary
from dasha_ros.recording.writer import RecordingError


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
        self.files = recording_files(self.path)
        self.damage: list[str] = []
        """What was found missing or damaged while reading, a sentence each; see `messages`."""
        self._remedy = f"`dasha record --recover {shown(self.path)}` makes a closed copy of what is whole"
        self._is_damaged = False
        self._sizes: dict[int, int] = {}
        self._decoders = [DecoderFactory() for _ in self.files]
        """A file numbers its schemas for itself."""

    @property
    def troubles(self) -> list[str]:
        """`damage`, and what to do about it."""
        if not self._is_damaged:
            return list(self.damage)
        return [*self.damage[:-1], f"{self.damage[-1]}; {self._remedy}"]

    def messages(self) -> Iterator[Recorded]:
        """All messages, in the order in which they were recorded.

        What is damaged is left out and named in `damage`: a record, the rest of a file, or all of it.

        Raises:
            RecordingError: None of the files is an MCAP file that can be read.
        """
        missing = missing_files(self.path, self.files)
        self.damage[:], self._is_damaged = [missing] if missing else [], False
        refused = list[str]()
        for number, path in enumerate(self.files):
            try:
                with open_regular(path, MOST_BYTES) as stream:
                    yield from self._messages(number, path, stream)
            except (FileError, RecordingError) as error:
                refused.append(str(error))
                self._damaged(f"{error}; nothing of this file is used")
        if len(refused) == len(self.files):
            self.damage.clear()
            self._is_damaged = False
            others = f", and {len(refused) - 1} more files can't be used either" if len(refused) > 1 else ""
            raise RecordingError(f"{refused[0]}{others}")

    def check_unchanged(self) -> None:
        """Look whether the files still have what was read from them; they may have grown.

        Raises:
            RecordingError: One is gone or shorter.
        """
        for number in self._sizes:
            self._check_unchanged(number)

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
            why = f" ({first_line(error)})" if str(error) else ""
            raise RecordingError(f"{what} is damaged: it is no {message.kind}{why}") from error

    def read(self, place: Place) -> bytes:
        """Read a message again.

        Raises:
            RecordingError: The file is gone or changed.
        """
        path = self.files[place.file]
        self._check_unchanged(place.file)
        try:
            with open_regular(path, MOST_BYTES) as stream:
                stream.seek(place.offset)
                piece = next_piece(stream, os.fstat(stream.fileno()).st_size)
            messages = [record for record in piece.inside if isinstance(record, Message)]
            if place.index >= len(messages):
                raise _changed(path, piece.damage or "there is something else in place of a message")
        except FileError as error:
            raise _changed(path, error.reason) from error
        except NoRecordError as error:
            raise _changed(path, str(error)) from error
        except OSError as error:
            raise _changed(path, f"it can't be read: {error.strerror or error}") from error
        return messages[place.index].data

    def _check_unchanged(self, number: int) -> None:
        path, size = self.files[number], self._sizes.get(number, 0)
        try:
            now = check_regular(path).st_size
        except FileError as error:
            raise _changed(path, error.reason) from error
        if now < size:
            raise _changed(path, f"only {now} of its {size} bytes are left")

    def _messages(self, number: int, path: Path, stream: IO[bytes]) -> Iterator[Recorded]:
        size = self._sizes[number] = os.fstat(stream.fileno()).st_size
        _check_magic(path, stream)
        summary = read_summary(stream, size)
        damage = Damage(path, size, summary)
        schemas, channels = dict[int, Schema](), dict[int, Channel]()
        offset = len(MCAP0_MAGIC)
        stream.seek(offset)
        while not (summary.is_closed and offset == size - len(MCAP0_MAGIC)):
            try:
                piece = next_piece(stream, size)
                if piece.opcode == Opcode.FOOTER and not piece.damage:
                    if stream.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                        raise NoRecordError(CUT)
                    break
            except NoRecordError as error:
                damage.end(offset, str(error))
                break
            except OSError as error:
                damage.end(offset, f"the disk can't read it: {error.strerror or error}")
                break
            if piece.damage:
                damage.leave_out(piece)
            index = 0
            for record in piece.inside:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    place, index = Place(number, offset, index), index + 1
                    # A damaged chunk takes definitions with it, which the end of the file repeats.
                    channel = channels.get(record.channel_id) or summary.channels.get(record.channel_id)
                    if channel is None:
                        damage.nameless += 1
                        continue
                    damage.used += 1
                    schema = schemas.get(channel.schema_id) or summary.schemas.get(channel.schema_id)
                    yield _recorded(record, place, channel, schema)
            offset += piece.size
        if damage.sentence:
            self._damaged(damage.sentence)

    def _damaged(self, sentence: str) -> None:
        self.damage.append(sentence)
        self._is_damaged = True


def _check_magic(path: Path, stream: IO[bytes]) -> None:
    try:
        head = stream.read(4096)
    except OSError as error:
        raise RecordingError(f"{shown(path)} can't be read: {error.strerror or error}") from error
    if not head.startswith(MCAP0_MAGIC):
        raise RecordingError(f"{shown(path)} {placeholder(head) or 'is no MCAP file'}")


def _changed(path: Path, why: str) -> RecordingError:
    return RecordingError(
        f"{shown(path)} changed since it was opened: {why}. Put the file back, or start again without it"
    )


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
