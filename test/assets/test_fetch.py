"""Fetching with the real pip, from a folder of small wheels instead of a registry."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from dasha_ros.assets import catalogue as assets
from dasha_ros.assets import fetch
from dasha_ros.assets.catalogue import AssetFile, AssetPackage, State
from dasha_ros.assets.registries import FetchError

PICTURE, NETWORK = b"a picture", b"a network" * 1000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> AssetPackage:
    """A wheel that pip accepts, and its entry in the catalogue."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    entries = tuple(AssetFile(f"got/{m}", m, sha256(c), licence="CC0-1.0") for m, c in files.items())
    archive_hash = sha256(path.read_bytes())
    return AssetPackage("base", "pypi", name, entries, version="1.0", format="wheel", sha256=archive_hash)


class Shelf:
    """The available packages, and the folder that they are fetched into."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wheels, self.folder = root / "wheels", root / "assets"
        self.wheels.mkdir()
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(self.wheels))
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("DASHA_ASSETS", str(self.folder))
        self.offer(
            wheel(self.wheels, "photos", {"a.jpg": PICTURE}), wheel(self.wheels, "models", {"n.bin": NETWORK})
        )

    def offer(self, *packages: AssetPackage) -> None:
        self.packages = packages
        self._monkeypatch.setattr(assets, "catalogue", lambda: packages)

    def read(self, name: str) -> bytes:
        return (self.folder / "got" / name).read_bytes()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    return Shelf(tmp_path, monkeypatch)


def test_files_arrive_under_their_names(shelf: Shelf) -> None:
    seen: set[str] = set()
    assert fetch.fetch(progress=lambda pin, done, total: seen.add(pin)) == ["got/a.jpg", "got/n.bin"]
    assert (shelf.read("a.jpg"), shelf.read("n.bin")) == (PICTURE, NETWORK)
    assert seen == {"photos==1.0", "models==1.0"}


def test_a_second_run_fetches_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch.fetch()
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert fetch.fetch() == []


@pytest.mark.parametrize("damage", [b"", NETWORK[:-1], b"x" + NETWORK[1:]])
def test_a_damaged_file_is_fetched_again(shelf: Shelf, damage: bytes) -> None:
    fetch.fetch()
    (shelf.folder / "got" / "n.bin").write_bytes(damage)
    assert fetch.fetch() == ["got/n.bin"]
    assert shelf.read("n.bin") == NETWORK


def test_leftovers_of_a_killed_run_are_removed(shelf: Shelf) -> None:
    leftover = shelf.folder / f"{fetch.PARTIAL}killed"
    leftover.mkdir(parents=True)
    (leftover / "half.whl").write_bytes(b"half")
    fetch.fetch()
    assert sorted(path.name for path in shelf.folder.iterdir()) == [".lock", "got"]


def test_a_changed_archive_is_refused_and_other_packages_are_fetched(shelf: Shelf) -> None:
    photos, models = shelf.packages
    shelf.offer(AssetPackage(**{**vars(photos), "sha256": "0" * 64}), models)
    with pytest.raises(FetchError, match=r"photos==1\.0: .*(hash|HASH)"):
        fetch.fetch()
    assert not (shelf.folder / "got" / "a.jpg").exists()
    assert shelf.read("n.bin") == NETWORK


def test_a_changed_file_in_a_pinned_archive_is_refused(shelf: Shelf) -> None:
    photos, models = shelf.packages
    file = AssetFile("got/a.jpg", "a.jpg", "0" * 64, licence="CC0-1.0")
    shelf.offer(AssetPackage(**{**vars(photos), "files": (file,)}), models)
    with pytest.raises(FetchError, match=r"a\.jpg has SHA-256 .* expected 000000000000"):
        fetch.fetch()
    assert not (shelf.folder / "got" / "a.jpg").exists()


def test_a_missing_member_is_named(shelf: Shelf) -> None:
    photos, _ = shelf.packages
    file = AssetFile("got/b.jpg", "b.jpg", "0" * 64, licence="CC0-1.0")
    shelf.offer(AssetPackage(**{**vars(photos), "files": (file,)}))
    with pytest.raises(FetchError, match=r"holds no readable b\.jpg"):
        fetch.fetch()


def test_offline_says_what_to_do(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    with pytest.raises(FetchError, match=r"(?s)offline.*pip config.*run the same command again"):
        fetch.fetch()


def test_a_folder_that_cannot_be_made_is_named(shelf: Shelf) -> None:
    shelf.folder.write_bytes(b"a file, not a folder")
    with pytest.raises(FetchError, match=r"can't create .*DASHA_ASSETS"):
        fetch.fetch()


def test_fetch_reports_that_everything_is_there(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "convert", lambda folder: None)
    for _ in range(2):
        assert fetch.main([]) == 0
        assert (
            f"all 2 photographs and models, and the files converted from them, are in {shelf.folder}"
            in capsys.readouterr().err
        )


def test_check_prints_what_is_wrong(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch.main(["--check"]) == 1
    assert "missing: got/a.jpg (pypi photos==1.0)" in capsys.readouterr().out
    fetch.fetch()
    monkeypatch.setattr(fetch, "check_converted", lambda folder: {"models/n.onnx": State.OK})
    assert fetch.main(["--check"]) == 0
    assert capsys.readouterr().out.startswith(
        f"all 2 photographs and models, and the files converted from them, are in {shelf.folder}"
    )
    monkeypatch.setattr(fetch, "check_converted", lambda folder: {"models/n.onnx": State.CORRUPT})
    assert fetch.main(["--check"]) == 1
    assert capsys.readouterr().out == "corrupt: models/n.onnx (made of fetched files)\n"
    monkeypatch.setattr(fetch, "check_converted", lambda folder: {"models/n.onnx": State.OK})
    (shelf.folder / "got" / "a.jpg").write_bytes(b"?")
    assert fetch.main(["--check"]) == 1
    assert capsys.readouterr().out == "corrupt: got/a.jpg (pypi photos==1.0)\n"
