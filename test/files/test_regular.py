"""Only regular files are opened, and no path makes a reader hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dasha_ros.files.errors import FileError
from dasha_ros.files.picture_names import pictures_below
from dasha_ros.files.regular import open_regular, read_bytes


def test_everything_but_a_regular_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("gone.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jpg"))
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    for name, says in {
        "folder.jpg": "is a folder",
        "pipe.jpg": "is a named pipe",
        "broken.jpg": "is a link to gone.jpg, which does not exist",
        "loop.jpg": "can't be read",
        "socket.jpg": "is a socket",
        "device.jpg": "is a device",
        "absent.jpg": "there is no such file",
        "x" * 5000: "can't be read",
        "nul\0.jpg": "can't be read",
    }.items():
        with pytest.raises(FileError, match=says):
            read_bytes(tmp_path / name, 100)


def test_long_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(FileError, match=r"has 1,000,000 MB; at most 5 MB"):
        open_regular(tmp_path / "long", 5_000_000)


def test_missing_permissions_are_reported(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(FileError, match=r"secret\.jpg: may not be read by this user"):
        read_bytes(tmp_path / "secret.jpg", 10)


def test_names_can_always_be_printed(tmp_path: Path) -> None:
    error = FileError(tmp_path / os.fsdecode(b"caf\xe9\n\x1b[2J.jpg"), "is odd")
    assert str(error).encode().decode().isprintable()


def test_a_folder_listing_says_what_is_left_out(tmp_path: Path) -> None:
    jpeg = b"\xff\xd8\xff\xe0"
    (tmp_path / "sub").mkdir()
    for name in ("b.JPG", "a[1].png", "sub/c.jpeg", "wild*?.gif"):
        (tmp_path / name).write_bytes(jpeg)
    for name in ("phone.heic", "raw.NEF", "unnamed", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).write_bytes(jpeg if name == "unnamed" else b"text")
    (tmp_path / "x.jpg").mkdir()
    (tmp_path / "x.jpg" / "inner.png").write_bytes(jpeg)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("gone.jpg")
    (tmp_path / "link").symlink_to("sub")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(jpeg)
    names, left_out = pictures_below(tmp_path)
    assert names == ["a[1].png", "b.JPG", "sub/c.jpeg", "wild*?.gif", "x.jpg/inner.png"]
    for name, says in {
        "phone.heic": "HEIC",
        "raw.NEF": "raw picture",
        "unnamed": "a JPEG picture by its content",
        "x.jpg": "is a folder",
        "pipe.jpg": "named pipe",
        "broken.jpg": "gone.jpg",
        "link": "link to a folder",
        "caf\\udce9.jpg": "not UTF-8",
        "1 other file": "not a picture",
    }.items():
        assert says in left_out.pop(name)
    assert not left_out


def test_a_name_that_only_the_locale_lacks_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "bus \u00fc.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    code = (
        "import sys; from pathlib import Path; from dasha_ros.files.picture_names import pictures_below; "
        "print(pictures_below(Path(sys.argv[1]))[1])"
    )
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, **plain}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "has a name that the locale's ascii lacks: set LC_ALL=C.UTF-8" in done.stdout
