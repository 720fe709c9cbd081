"""JPEGs of webcams and recordings: a header that announces too much is refused before anything is decoded."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dasha_ros.files import jpeg


def made(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (width, height), 120).save(stream, "JPEG", **options)
    return stream.getvalue()


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    progressive=st.booleans(),
    comment=st.binary(max_size=300),
)
def test_the_announced_size_is_read_without_decoding(
    width: int, height: int, progressive: bool, comment: bytes
) -> None:
    content = made(width, height, progressive=progressive, comment=comment)
    assert jpeg.claimed_pixels(content) == width * height
    filled = content[:2] + b"\xff\xff" + content[2:]
    assert jpeg.claimed_pixels(filled) == width * height


@given(st.one_of(st.binary(max_size=64), st.binary(max_size=64).map(lambda tail: b"\xff\xd8\xff" + tail)))
def test_whatever_the_bytes_are_the_reader_ends(content: bytes) -> None:
    assert 0 <= jpeg.claimed_pixels(content) <= 65535**2


def test_a_bomb_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = made(40, 30)
    start = content.index(b"\xff\xc0") + 5
    bomb = content[:start] + b"\xff\xff\xff\xff" + content[start + 4 :]
    assert jpeg.claimed_pixels(bomb) == 65535**2

    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    assert np.asarray(jpeg.jpeg_pixels(content, grey=False)).shape == (30, 40, 3)
    monkeypatch.setattr(cv2, "imdecode", decode)
    assert jpeg.jpeg_pixels(bomb, grey=True) is None
    assert jpeg.jpeg_pixels(content[:start], grey=True) is None
    assert jpeg.jpeg_pixels(b"GIF89a", grey=True) is None


@pytest.mark.parametrize(("choice", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_header_says_how_finely_colour_is_kept(choice: int, name: str, progressive: bool) -> None:
    assert jpeg.chroma_sampling(made(40, 30, subsampling=choice, progressive=progressive)) == name


def test_other_kinds_of_colour_are_named_or_unknown() -> None:
    assert jpeg.chroma_sampling(made(40, 30, "L")) == "grey"
    content = made(40, 30)
    start = content.index(b"\xff\xc0")
    wide = content[: start + 11] + b"\x41" + content[start + 12 :]
    assert jpeg.chroma_sampling(wide) == "4 x 1"
    assert jpeg.chroma_sampling(content[: start + 12]) == ""
    assert jpeg.chroma_sampling(b"\x89PNG") == ""


@given(st.one_of(st.binary(max_size=64), st.binary(max_size=64).map(lambda tail: b"\xff\xd8\xff\xc0" + tail)))
def test_whatever_the_bytes_are_the_kind_of_colour_is_a_text(content: bytes) -> None:
    assert isinstance(jpeg.chroma_sampling(content), str)
