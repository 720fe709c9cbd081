"""Qt's resource format, written here from its description and read by the parser."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.assets import fetch
from dasha_ros.assets.catalogue import AssetFile, AssetPackage, sha256_of
from dasha_ros.assets.convert.qt_resource import QtResource, QtResourceError
from dasha_ros.assets.registries import Archive, FetchError

Tree = dict[str, "bytes | Tree"]
PICTURES: Tree = {"a": {"one.webp": b"first" * 50, "two.webp": b""}, "three.webp": b"\x00\xff"}


def written(tree: Tree, version: int = 2, compress: bool = False) -> bytes:
    """A resource file as ``rcc`` writes it: breadth first, with the children of a folder side by side."""
    names, data, nodes = bytearray(), bytearray(), []
    queue: list[tuple[str, bytes | Tree]] = [("", tree)]
    following = 1
    while queue:
        name, content = queue.pop(0)
        name_at = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        if isinstance(content, dict):
            node = struct.pack(">IHII", name_at, 2, len(content), following)
            following += len(content)
            queue += list(content.items())
        else:
            node = struct.pack(">IHHHI", name_at, int(compress), 0, 1, len(data))
            block = struct.pack(">I", len(content)) + zlib.compress(content) if compress else content
            data += struct.pack(">I", len(block)) + block
        nodes.append(node + (b"\0" * 8 if version > 1 else b""))
    head = 20 if version < 3 else 24
    packed = b"".join(nodes)
    offsets = (head + len(data) + len(names), head, head + len(data))
    header = b"qres" + struct.pack(">4I", version, *offsets) + (b"\0" * 4 if version == 3 else b"")
    return header + bytes(data) + bytes(names) + packed


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("compress", [False, True])
def test_files_are_read_as_they_were_written(version: int, compress: bool) -> None:
    resource = QtResource(written(PICTURES, version, compress))
    assert sorted(resource.names) == ["a/one.webp", "a/two.webp", "three.webp"]
    assert resource.read("a/one.webp") == b"first" * 50
    assert resource.read("a/two.webp") == b""
    assert resource.read("three.webp") == b"\x00\xff"


def test_other_files_and_unknown_names_are_refused() -> None:
    with pytest.raises(QtResourceError, match="not a Qt resource file"):
        QtResource(b"RIFF....")
    with pytest.raises(QtResourceError, match="version 9"):
        QtResource(written(PICTURES).replace(b"qres\0\0\0\2", b"qres\0\0\0\x09"))
    with pytest.raises(QtResourceError, match=r"holds no four\.webp"):
        QtResource(written(PICTURES)).read("four.webp")


@given(cut=st.integers(0, 400), flip=st.tuples(st.integers(0, 399), st.integers(1, 255)))
def test_damage_raises_the_readers_own_error(cut: int, flip: tuple[int, int]) -> None:
    content = bytearray(written(PICTURES, compress=True))
    content[flip[0] % len(content)] ^= flip[1]
    try:
        resource = QtResource(bytes(content[:cut]))
        for name in resource.names:
            resource.read(name)
    except QtResourceError:
        pass


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The data of a Debian package: a picture, and a resource file with three."""
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in (("./usr/lone.png", b"lone"), ("./usr/many.rcc", written(PICTURES))):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_a_member_may_be_inside_a_resource_file(archive: Path) -> None:
    with Archive(archive) as opened:
        assert opened.read("usr/lone.png") == b"lone"
        assert opened.read("usr/many.rcc!three.webp") == b"\x00\xff"
        with pytest.raises(FetchError, match=r"many\.rcc: .*four\.webp"):
            opened.read("usr/many.rcc!four.webp")
        with pytest.raises(FetchError, match=r"no readable usr/none\.rcc"):
            opened.read("usr/none.rcc!three.webp")
        with pytest.raises(FetchError, match=r"lone\.png: this is not a Qt resource file"):
            opened.read("usr/lone.png!three.webp")


def test_files_that_a_distribution_dropped_are_left_out_and_named(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lone").write_bytes(b"lone")
    files = (
        AssetFile("got/lone.png", "usr/lone.png", sha256_of(tmp_path / "lone"), "CC0-1.0"),
        AssetFile("got/gone.webp", "usr/many.rcc!gone.webp", "0" * 64, "CC0-1.0"),
        AssetFile("got/changed.webp", "usr/many.rcc!three.webp", "0" * 64, "CC0-1.0"),
    )
    package = AssetPackage("training", "debian", "animals", files)
    monkeypatch.setattr(fetch, "packages_of", lambda sets: (package,))
    monkeypatch.setattr(fetch, "missing", lambda sets, folder: {package: list(files)})
    monkeypatch.setattr(fetch, "download", lambda package, scratch, progress: archive)
    assert fetch.fetch(("training",), tmp_path / "assets") == ["got/lone.png"]
    said = capsys.readouterr().err
    assert "left out: got/gone.webp" in said
    assert "left out: got/changed.webp: animals: usr/many.rcc!three.webp has SHA-256" in said
