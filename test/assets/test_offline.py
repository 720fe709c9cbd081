"""Photographs and models go into a folder and come back out of it, checked both times."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dasha_ros.assets import catalogue, offline
from dasha_ros.assets.catalogue import AssetFile, AssetPackage

CONTENTS = {"photos/a.jpg": b"a picture", "models/n.bin": b"a network" * 1000}


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of fetched files, complete."""
    files = tuple(
        AssetFile(name, name, hashlib.sha256(content).hexdigest(), licence="CC0-1.0")
        for name, content in CONTENTS.items()
    )
    monkeypatch.setattr(catalogue, "catalogue", lambda: (AssetPackage("base", "pypi", "p", files),))
    folder = tmp_path / "fetched"
    monkeypatch.setenv("DASHA_ASSETS", str(folder))
    for name, content in CONTENTS.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_there_and_back(fetched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "wheelhouse" / "assets"
    assert offline.save(kept) == 2
    assert contents(kept) == CONTENTS
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path / "another machine"))
    assert offline.load(kept) == 2
    assert contents(tmp_path / "another machine") == CONTENTS
    assert offline.load(kept) == 0


def test_damage_is_mended_from_the_folder(fetched: Path, tmp_path: Path) -> None:
    offline.save(tmp_path / "kept")
    (fetched / "photos" / "a.jpg").write_bytes(b"half a pic")
    (fetched / "models" / "n.bin").unlink()
    assert offline.load(tmp_path / "kept") == 2
    assert contents(fetched) == CONTENTS


def test_a_changed_file_is_named_and_not_taken(
    fetched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    offline.save(kept)
    (kept / "models" / "n.bin").write_bytes(b"another network")
    (fetched / "models" / "n.bin").unlink()
    assert offline.main(["load", str(kept)]) == 1
    assert f"{kept}/models/n.bin is corrupt: copy the wheelhouse again" in capsys.readouterr().err
    assert contents(fetched) == {"photos/a.jpg": CONTENTS["photos/a.jpg"]}


def test_what_was_not_fetched_can_not_be_saved(fetched: Path, tmp_path: Path) -> None:
    (fetched / "photos" / "a.jpg").unlink()
    with pytest.raises(offline.OfflineError, match=r"a\.jpg is missing: run \./scripts/setup"):
        offline.save(tmp_path / "kept")


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.main(["fetch", "here"]) == 2
    assert "save|load FOLDER" in capsys.readouterr().err
