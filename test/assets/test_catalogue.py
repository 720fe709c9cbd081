"""Finding photographs and models, and the messages if they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.assets import catalogue as assets
from dasha_ros.assets.catalogue import AssetMissing, State


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    return tmp_path


def test_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DASHA_ASSETS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert assets.assets_dir() == tmp_path / ".local" / "share" / "dasha_ros"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert assets.assets_dir() == Path("/data/dasha_ros")
    monkeypatch.setenv("DASHA_ASSETS", "~/mine")
    assert assets.assets_dir() == tmp_path / "mine"


def test_present_file_is_found(folder: Path) -> None:
    (folder / "photos").mkdir()
    (folder / "photos" / "bus.jpg").write_bytes(b"picture")
    assert assets.asset("photos/bus.jpg") == folder / "photos" / "bus.jpg"


def test_converted_file_is_found_though_no_package_ships_it(folder: Path) -> None:
    (folder / "models").mkdir()
    (folder / "models" / "mine.onnx").write_bytes(b"network")
    assert assets.asset("models/mine.onnx").read_bytes() == b"network"


def test_missing_file_says_what_to_run(folder: Path) -> None:
    with pytest.raises(AssetMissing, match=r"photos/bus\.jpg .*ultralytics.* run `.*scripts/setup`"):
        assets.asset("photos/bus.jpg")
    with pytest.raises(AssetMissing, match=r"darknet.*dasha_ros\.assets\.fetch --set training"):
        assets.asset("photos/dog.jpg")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../secret", "photos/../../secret"])
def test_names_stay_in_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="relative path"):
        assets.asset(name)


def test_catalogue_is_pinned() -> None:
    for package in assets.catalogue():
        assert package.registry in {"pypi", "debian", "npm"}
        if package.registry == "pypi":
            assert package.version
            assert package.sha256 is not None
            assert len(package.sha256) == 64
            assert package.format in {"wheel", "sdist"}
        if package.registry == "npm":
            assert package.version
            assert package.sha256 is not None
        for file in package.files:
            assert len(file.sha256) == 64
            assert file.licence


def test_unknown_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no asset set photoes; the sets are: .*base"):
        assets.packages_of(["photoes"])


def test_check_distinguishes_missing_corrupt_and_good_files(folder: Path) -> None:
    content = b"right"
    (folder / "models").mkdir()
    file = assets.AssetFile(
        "models/a", "a", "a" * 64, licence="CC0-1.0"
    )  # fmt: skip
    assert assets.check(file) is State.MISSING
    (folder / "models" / "a").write_bytes(content)
    assert assets.check(file) is State.CORRUPT
    right = assets.AssetFile("models/a", "a", assets.sha256_of(folder / "models" / "a"), licence="CC0-1.0")
    assert assets.check(right) is State.OK
