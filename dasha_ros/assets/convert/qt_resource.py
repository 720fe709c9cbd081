"""Reads Qt's binary resource files (``.rcc``), which are archives of named files.

Format as written by ``rcc --binary`` and read by Qt's ``qresource.cpp``, versions 1 to 3: a
header (magic, version, offsets of tree, data and names; all numbers big-endian), a tree of
fixed-size nodes, names in UTF-16, and data blocks that are plain, zlib or zstd.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_MAGIC = b"qres"
_COMPRESSED, _DIRECTORY, _ZSTD = 1, 2, 4
_MAX_DEPTH = 64


class QtResourceError(ValueError):
    """The file is not a Qt resource file, is damaged, or has no entry of that name."""


class QtResource:
    """The files inside one ``.rcc``."""

    def __init__(self, content: bytes) -> None:
        """Read the directory.

        Args:
            content: Content of the whole file.

        Raises:
            QtResourceError: It is not a Qt resource file, or damaged.
        """
        self._content = content
        try:
            if content[:4] != _MAGIC:
                raise QtResourceError("this is not a Qt resource file: it does not begin with `qres`")
            version, self._tree, self._data, self._names = struct.unpack_from(">4I", content, 4)
            if version not in (1, 2, 3):
                raise QtResourceError(f"Qt resource files of version {version} are not known, only 1 to 3")
            # Version 2 added a modification time to every node.
            self._node_size = 14 if version == 1 else 22
            self._files = dict(self._walk(0, "", 0))
        except (struct.error, UnicodeDecodeError) as error:
            raise QtResourceError(f"the Qt resource file is cut short or damaged: {error}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all files, without a leading slash."""
        return tuple(self._files)

    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            QtResourceError: There is no such entry, or its data is damaged.
        """
        if name not in self._files:
            raise QtResourceError(f"the Qt resource file holds no {name}")
        flags, offset = self._files[name]
        try:
            (size,) = struct.unpack_from(">I", self._content, self._data + offset)
            begin = self._data + offset + 4
            block = self._content[begin : begin + size]
            if len(block) != size:
                raise QtResourceError(f"the Qt resource file ends inside {name}")
            if flags & _ZSTD:
                raise QtResourceError(f"{name} is compressed with zstd, which is not supported")
            # qCompress puts the size before the zlib stream.
            return zlib.decompress(block[4:]) if flags & _COMPRESSED else block
        except (struct.error, zlib.error) as error:
            raise QtResourceError(f"{name} in the Qt resource file is damaged: {error}") from error

    def _walk(self, node: int, folder: str, depth: int) -> Iterator[tuple[str, tuple[int, int]]]:
        """Path, flags and data offset of the files in a directory node."""
        if depth > _MAX_DEPTH:
            raise QtResourceError("the Qt resource file is damaged: its folders contain themselves")
        at = self._tree + node * self._node_size
        _, _, count, first = struct.unpack_from(">IHII", self._content, at)
        for child in range(first, first + count):
            at = self._tree + child * self._node_size
            name_at, flags = struct.unpack_from(">IH", self._content, at)
            path = folder + self._name(name_at)
            if flags & _DIRECTORY:
                yield from self._walk(child, path + "/", depth + 1)
            else:
                (offset,) = struct.unpack_from(">I", self._content, at + 10)
                yield path, (flags, offset)

    def _name(self, offset: int) -> str:
        (length,) = struct.unpack_from(">H", self._content, self._names + offset)
        begin = self._names + offset + 6  # a hash of four bytes follows the length
        return self._content[begin : begin + 2 * length].decode("utf-16-be")
