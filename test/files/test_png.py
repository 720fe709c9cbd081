"""PNGs whose checksums are right and whose pixels are not; transparent values of every depth."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import read_picture
from dasha_ros.files.png import SIGNATURE

GREY, RGB, PALETTE = 0, 2, 3


def png(
    size: tuple[int, int],
    depth: int,
    colour: int,
    pixels: bytes,
    *,
    transparent: bytes = b"",
    palette: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """A PNG of these rows, each with its filter's byte (W3C, PNG, 5 and 11)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, int(interlaced)))]
    parts += [chunk(b"PLTE", palette)] if palette else []
    parts += [chunk(b"tRNS", transparent)] if transparent else []
    packed = zlib.compress(pixels)
    parts += [chunk(b"IDAT", packed[:5]), chunk(b"IDAT", packed[5:]), chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(parts)


@pytest.mark.parametrize(
    ("size", "depth", "colour", "interlaced", "count"),
    [
        ((3, 4), 8, GREY, False, 16),
        ((3, 4), 1, GREY, False, 8),
        ((3, 4), 16, RGB, False, 76),
        # Passes of 1 x 1, 1 x 1, 2 x 1, 2 x 2, 4 x 2, 4 x 4 and 8 x 4 pixels.
        ((8, 8), 8, GREY, True, 2 + 2 + 3 + 6 + 10 + 20 + 36),
        # One column: three of the passes are empty.
        ((1, 8), 8, GREY, True, 2 + 2 + 4 + 8),
    ],
)
def test_pixels_that_end_early_are_refused_and_whole_ones_read(
    tmp_path: Path, size: tuple[int, int], depth: int, colour: int, interlaced: bool, count: int
) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(png(size, depth, colour, bytes(count), interlaced=interlaced))
    assert read_picture(path).rgb.shape == (size[1], size[0], 3)
    for left in (count - 1, count // 2, count // 4, 0):
        path.write_bytes(png(size, depth, colour, bytes(left), interlaced=interlaced))
        with pytest.raises(FileError, match=r"p\.png: is cut short: its pixels end before the picture does"):
            read_picture(path)


def test_a_palette_picture_needs_its_palette(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(png((2, 1), 8, PALETTE, b"\0\0\1", palette=b"\xff\0\0\0\0\xff"))
    assert read_picture(path).rgb[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    path.write_bytes(png((2, 1), 8, PALETTE, b"\0\0\1"))
    with pytest.raises(FileError, match=r"p\.png: is damaged: it has no palette"):
        read_picture(path)


@pytest.mark.parametrize(
    ("depth", "colour", "row", "transparent"),
    [
        (1, GREY, b"\x40", (0,)),
        (2, GREY, b"\x70", (1,)),
        (4, GREY, b"\x3c", (3,)),
        (8, GREY, b"\x03\x0c", (3,)),
        (16, GREY, b"\x03\x01\x0c\x01", (0x0301,)),
        (8, RGB, b"\1\2\3\4\5\6", (1, 2, 3)),
        (16, RGB, b"\x10\x20\x20\x20\x30\x20\0\7\0\x08\0\x09", (0x1020, 0x2020, 0x3020)),
    ],
)
def test_the_transparent_value_becomes_alpha_at_every_depth(
    tmp_path: Path, depth: int, colour: int, row: bytes, transparent: tuple[int, ...]
) -> None:
    path = tmp_path / "p.png"
    value = struct.pack(f">{len(transparent)}H", *transparent)
    path.write_bytes(png((2, 1), depth, colour, b"\0" + row, transparent=value))
    alpha = read_picture(path).alpha
    assert alpha is not None
    assert alpha.tolist() == [[0, 255]]
