"""Writes a recording: a folder of MCAP files and the ``metadata.yaml`` that rosbag2 wants.

Messages are written as they came, serialized. Each file can be read alone: it begins with the last messages
of latched topics. Chunks are small, so a picture is on the disk as soon as it was taken, and a process that
is killed loses at most the last few small messages.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import mcap.writer
import zstandard
from mcap.writer import CompressionType, Writer

from dasha_ros import __version__
from dasha_ros.files.errors import shown
from dasha_ros.recording.disk import GrowingFile, Reserve
from dasha_ros.recording.metadata import FILE, Part, Topic, write_metadata

_CHUNK_BYTES = 16_384
_SAMPLE_BYTES = 65_536
"""From the middle of larger chunks, to see how well they can be packed."""
_WORTH_IT = 0.7
"""Greatest share of a sample's size, packed, with which the whole chunk is packed well."""
_WELL, _QUICKLY = 1, -100
"""Levels of zstd."""
FLUSH_S = 1.0
"""Oldest age of a message that is not on the disk yet [s], while messages come."""


class _QuickZstd:
    """Packs at level 1, and hardly at all what would hardly get smaller, such as a sensor's noise.

    Level 1 makes pictures as small as level 3 in a third of the time. With a picture whose lowest bits are
    noise it still takes 4 ms for 2 MB, to save 18 %. The library has no option for the level. It only calls
    ``compress``.
    """

    @staticmethod
    def compress(data: bytes) -> bytes:
        middle = max(0, (len(data) - _SAMPLE_BYTES) // 2)
        sample = memoryview(data)[middle : middle + _SAMPLE_BYTES]
        packed = zstandard.ZstdCompressor(level=_WELL).compress(sample)
        if len(sample) == len(data):
            return packed
        level = _WELL if len(packed) < _WORTH_IT * len(sample) else _QUICKLY
        return zstandard.ZstdCompressor(level=level).compress(data)


mcap.writer.zstandard = _QuickZstd  # type: ignore[assignment, attr-defined]


class RecordingError(ValueError):
    """A recording can't be written or read; the message names it and says why."""


class RecordingWriter:
    """Writes one recording. Not thread-safe."""

    def __init__(self, folder: Path, *, split_bytes: int = 0, limit_bytes: int = 0) -> None:
        """Make the folder.

        Args:
            folder: Where the files go; must not exist, or be empty.
            split_bytes: A new file begins after this many bytes; 0: never.
            limit_bytes: All files together; 0: the disk is the limit.

        Raises:
            RecordingError: The folder is in use or can't be made, or the disk is full already.
        """
        self.folder, self._split, self._limit = folder, split_bytes, limit_bytes
        self.ended = ""
        """Why nothing more is written, as a sentence; empty: more is welcome."""
        self.failed = False
        """Whether the disk is the reason."""
        self.messages = 0
        """Messages that were given, without those that a new file repeats."""
        self.parts: list[Part] = []
        self._topics: dict[str, Topic] = {}
        self._latched: dict[str, tuple[bytes, int, int]] = {}
        self._channels: dict[str, int] = {}
        self._file: GrowingFile | None = None
        self._writer: Writer | None = None
        self._closed_bytes, self._flushed_s = 0, time.monotonic()
        self._is_new = not folder.exists()
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RecordingError(
                    f"{shown(folder)} is not empty: give a new folder, so that nothing is overwritten"
                )
            try:
                self._reserve = Reserve(folder)
            except BaseException:
                self._take_folder_back()
                raise
            try:
                self._begin()
            except BaseException:
                with contextlib.suppress(OSError):
                    self.discard()
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say in a sentence why the folder can't be used."""
        try:
            yield
        except FileExistsError as error:
            raise RecordingError(f"{shown(self.folder)} is a file: give a new folder") from error
        except OSError as error:
            raise RecordingError(f"{shown(self.folder)} can't be recorded to: {error.strerror}") from error

    def _take_folder_back(self) -> None:
        if self._is_new:
            self.folder.rmdir()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._closed_bytes + (self._file.tell() if self._file else 0)

    def add_topic(self, topic: Topic) -> None:
        """Name a topic before its first message; a second time changes nothing."""
        self._topics.setdefault(topic.name, topic)

    def write(self, topic: str, data: bytes, log_ns: int, publish_ns: int) -> None:
        """Write a message; after the end of the recording, nothing happens.

        Args:
            topic: Its topic, which `add_topic` named.
            data: The serialized message (CDR).
            log_ns: When it arrived [ns since 1970].
            publish_ns: When it was sent [ns since 1970].
        """
        if self.ended:
            return
        try:
            self._append(topic, data, log_ns, publish_ns)
            self.messages += 1
            if self._topics[topic].latched:
                self._latched[topic] = data, log_ns, publish_ns
            self.tick()
            self._check_size()
        except OSError as error:
            self._fail(error)

    def tick(self) -> None:
        """Bring everything to the disk if that is due; call it now and then while no message comes."""
        now = time.monotonic()
        if self._writer is None or self.ended or now - self._flushed_s < FLUSH_S:
            return
        self._flushed_s = now
        try:
            self._writer.flush()  # type: ignore[no-untyped-call]
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """End the recording; safe to call twice. `ended` says what went wrong, if anything did."""
        try:
            self._finish()
            write_metadata(self.folder, list(self._topics.values()), self.parts)
        except OSError as error:
            self._fail(error)
        finally:
            self._reserve.release()

    def discard(self) -> None:
        """Take everything back that was written, and the folder if this made it.

        Raises:
            OSError: The disk refuses.
        """
        self._writer = None
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        self._reserve.release()
        for name in (*(part.name for part in self.parts), FILE):
            (self.folder / name).unlink(missing_ok=True)
        self._take_folder_back()

    def _append(self, topic: str, data: bytes, log_ns: int, publish_ns: int) -> None:
        assert self._writer is not None
        known = self._topics[topic]
        if topic not in self._channels:
            schema = self._writer.register_schema(known.kind, known.encoding, known.schema.encode())
            self._channels[topic] = self._writer.register_channel(
                topic, "cdr", schema, {"offered_qos_profiles": known.qos}
            )
        self._writer.add_message(self._channels[topic], log_ns, data, publish_ns)
        self.parts[-1].add(topic, log_ns)

    def _check_size(self) -> None:
        assert self._file is not None
        if self._reserve.is_used:
            self.failed = True
            self.ended = f"the disk of {shown(self.folder)} is full: what was recorded is kept"
        elif self._limit and self.size >= self._limit:
            self.ended = f"the limit of {self._limit / 1e6:g} MB is reached: what was recorded is kept"
        elif self._split and self._file.tell() >= self._split:
            self._finish()
            write_metadata(self.folder, list(self._topics.values()), self.parts)
            self._begin()
            for name, message in self._latched.items():
                self._append(name, *message)

    def _begin(self) -> None:
        part = Part(f"{self.folder.name}_{len(self.parts)}.mcap")
        self._file = GrowingFile(self.folder / part.name, self._reserve)
        self.parts.append(part)
        self._channels = {}
        self._writer = Writer(
            cast(IO[bytes], self._file), chunk_size=_CHUNK_BYTES, compression=CompressionType.ZSTD
        )
        self._writer.start(profile="ros2", library=f"dasha_ros {__version__}")

    def _finish(self) -> None:
        writer, file = self._writer, self._file
        self._writer = self._file = None
        if writer is None or file is None:
            return
        try:
            writer.finish()  # type: ignore[no-untyped-call]
        finally:
            self._closed_bytes += file.tell()
            self.parts[-1].size = file.tell()
            file.close()

    def _fail(self, error: OSError) -> None:
        self.failed = True
        self.ended = (
            f"{shown(self.folder)} can't be written any more ({error.strerror}): its last file is not "
            f"closed, but holds what came before; `dasha record --recover {shown(self.folder)}` closes it"
        )
        self._writer = None
        if self._file is not None:
            self._closed_bytes += self._file.tell()
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
