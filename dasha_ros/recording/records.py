"""Reads the records of an MCAP file one by one, whatever state they are in.

Each record tells its length, so a damaged one can be left out and the next one be read. What is in a record
is never believed further than that: lengths inside may lie, and a chunk may unpack to more than the memory.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.writer import MCAP0_MAGIC

from dasha_ros.files.errors import shown

_MOST_CHUNK = 1 << 29
"""A chunk that is larger, packed or unpacked, is refused: it would fill the memory."""
_MOST_SUMMARY = 1 << 26
_NEEDED = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.CHUNK)
_KNOWN = frozenset(Opcode)
_LENGTHS = {Opcode.FOOTER: 20, Opcode.DATA_END: 4, Opcode.SUMMARY_OFFSET: 17}
"""A chunk whose kind was damaged may call itself one of these."""
_PRIVATE = 0x80
"""From here on, the kinds of records are for everyone's own use (MCAP specification, *Opcodes*)."""
_HEAD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_FOOTER = struct.Struct("<QQI")
_INDEX = struct.Struct("<HI")
_INDEX_ENTRY = 16
_CLOSING = _HEAD.size + _FOOTER.size + len(MCAP0_MAGIC)
_BROKEN = (
    McapError,
    struct.error,
    ValueError,
    zstandard.ZstdError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
"""What the libraries raise for damaged bytes."""
CUT = "the file ends within the record that begins there"


class _DamageError(ValueError):
    """Bytes are damaged; the message says how, in plain words."""


class NoRecordError(Exception):
    """There is no whole record here, and it can't be told where the next one begins; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A record of a file."""

    opcode: int
    size: int
    """Bytes in the file."""
    inside: list[McapRecord]
    """Schemas, channels and messages: the record itself, or those in a chunk."""
    damage: str = ""
    """Why it can't be used, at least in part; empty: it is whole."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file says at its end about all of it."""

    is_closed: bool = False
    """Whether the file has an end."""
    messages: int | None = None
    """How many messages were written; `None`: it does not tell, or is damaged itself."""
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)


def next_piece(stream: IO[bytes], size: int) -> Piece:
    """Read the record at the place of the stream, and leave the stream behind it.

    Args:
        stream: The file.
        size: Its bytes.

    Raises:
        NoRecordError: There is no whole record left, or what is there can't be one.
    """
    try:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise NoRecordError(CUT)
        opcode, length = _HEAD.unpack(head)
        begin = stream.tell()
        if length > size - begin:
            raise NoRecordError(CUT)
        if opcode == 0:
            raise NoRecordError("there are zeros in place of a record")
        inside, damage = _read(stream, opcode, length)
        stream.seek(begin + length)
    except OSError as error:
        raise NoRecordError(f"the disk can't read it: {error.strerror or error}") from error
    return Piece(opcode, _HEAD.size + length, inside, damage)


def read_summary(stream: IO[bytes], size: int) -> Summary:
    """Read the end of a file; the stream is somewhere else afterwards."""
    try:
        stream.seek(max(0, size - _CLOSING))
        closing = stream.read(_CLOSING)
        if not closing.endswith(MCAP0_MAGIC):
            return Summary()
        footer = closing[: _HEAD.size + _FOOTER.size]
        if len(closing) < _CLOSING or _HEAD.unpack_from(footer) != (Opcode.FOOTER, _FOOTER.size):
            return Summary(is_closed=True)
        start, _, checksum = _FOOTER.unpack_from(footer, _HEAD.size)
        length = size - _CLOSING - start
        if not (start >= len(MCAP0_MAGIC) and 0 <= length <= _MOST_SUMMARY):
            return Summary(is_closed=True)
        stream.seek(start)
        data = stream.read(length)
        if checksum and zlib.crc32(footer[:-4], zlib.crc32(data)) != checksum:
            return Summary(is_closed=True)
        count = _statistics(data) if checksum else None
        records, _ = _parsed(data)
    except (*_BROKEN, OSError):
        return Summary(is_closed=True)
    return Summary(
        True,
        count,
        {record.id: record for record in records if isinstance(record, Schema)},
        {record.id: record for record in records if isinstance(record, Channel)},
    )


def _read(stream: IO[bytes], opcode: int, length: int) -> tuple[list[McapRecord], str]:
    """What is in a record, and why that is not all of it."""
    if opcode not in _NEEDED:
        return [], _oddness(stream, opcode, length)
    try:
        if length > _MOST_CHUNK:
            raise _DamageError(f"a record of {length} bytes is longer than {_MOST_CHUNK}")
        content = stream.read(length)
        if len(content) < length:
            raise NoRecordError(CUT)
        if opcode != Opcode.CHUNK:
            return [_record(opcode, content, 0, length)], ""
        return _unpacked(Chunk.read(ReadDataStream(BytesIO(content))))
    except _DamageError as error:
        why = str(error)
    except OSError as error:
        why = f"the disk can't read it: {error.strerror or error}"
    except _BROKEN:
        why = "its content can't be decoded"
    return [], why


def _oddness(stream: IO[bytes], opcode: int, length: int) -> str:
    """Why a record that holds no messages is not what it says; empty: it may be."""
    if opcode >= _PRIVATE:
        return ""
    if opcode not in _KNOWN:
        return f"a record is of an unknown kind, {opcode:#04x}"
    is_odd = length != _LENGTHS.get(Opcode(opcode), length)
    if opcode == Opcode.MESSAGE_INDEX:
        head = stream.read(min(length, _INDEX.size))
        entries = _INDEX.unpack(head)[1] if len(head) == _INDEX.size else -1
        is_odd = entries % _INDEX_ENTRY != 0 or not 0 <= entries <= length - _INDEX.size
    return f"a record is not of the kind that it names, {opcode:#04x}" if is_odd else ""


def _unpacked(chunk: Chunk) -> tuple[list[McapRecord], str]:
    """The records in a chunk, and why they are not all.

    Raises:
        _DamageError: It holds more than it may, or other bytes than were written.
    """
    data = chunk.data
    if chunk.compression == "zstd":
        data = zstandard.ZstdDecompressor().stream_reader(BytesIO(data)).read(_MOST_CHUNK + 1)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=_MOST_CHUNK + 1)
    elif chunk.compression:
        raise _DamageError(f"compression {shown(chunk.compression)!r} is unknown")
    if len(data) > _MOST_CHUNK or len(data) != chunk.uncompressed_size:
        raise _DamageError(f"a chunk unpacks to another size than its {chunk.uncompressed_size} bytes")
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise _DamageError("the checksum (crc) of a chunk is wrong")
    records, odd = _parsed(data)
    if odd and not chunk.uncompressed_crc:
        return records, "records in a chunk are of an unknown kind"
    return records, ""


def _parsed(data: bytes) -> tuple[list[McapRecord], int]:
    """The schemas, channels and messages among records, and how many are of no known kind.

    Raises:
        _DamageError: A record is longer than there are bytes.
    """
    records, odd, at = list[McapRecord](), 0, 0
    while at < len(data):
        opcode, length, begin = *_head(data, at), at + _HEAD.size
        if (at := begin + length) > len(data):
            raise _DamageError("a record is longer than the chunk that holds it")
        if opcode in _NEEDED and opcode != Opcode.CHUNK:
            records.append(_record(opcode, data, begin, at))
        elif opcode < _PRIVATE:
            odd += 1
    return records, odd


def _head(data: bytes, at: int) -> tuple[int, int]:
    if len(data) - at < _HEAD.size:
        raise _DamageError("a chunk ends inside a record")
    opcode, length = _HEAD.unpack_from(data, at)
    return int(opcode), int(length)


def _record(opcode: int, data: bytes, begin: int, end: int) -> McapRecord:
    if opcode == Opcode.MESSAGE:
        if end - begin < _MESSAGE.size:
            raise _DamageError("a message is shorter than its head")
        channel, sequence, log_time, publish_time = _MESSAGE.unpack_from(data, begin)
        return Message(
            channel_id=channel,
            log_time=log_time,
            data=data[begin + _MESSAGE.size : end],
            publish_time=publish_time,
            sequence=sequence,
        )
    stream = ReadDataStream(BytesIO(data[begin:end]))
    record: McapRecord = Schema.read(stream) if opcode == Opcode.SCHEMA else Channel.read(stream)
    return record


def _statistics(data: bytes) -> int | None:
    """How many messages the file counts."""
    at = 0
    while at < len(data):
        opcode, length = _head(data, at)
        if opcode == Opcode.STATISTICS and length >= 8:
            return int.from_bytes(data[at + _HEAD.size : at + _HEAD.size + 8], "little")
        at += _HEAD.size + length
    return None
