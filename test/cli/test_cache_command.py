"""``dasha cache`` and its error messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic_cache import synthetic_cache
from typer.testing import CliRunner

from dasha_ros.cli.cache import app
from dasha_ros.learning.dataset.cache import build, check
from dasha_ros.learning.dataset.cache.check import REGIMES, Error
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.twin.scene import SceneError

runner = CliRunner()


@pytest.fixture(autouse=True)
def own_cache_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_an_empty_folder_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    result = runner.invoke(app, ["build", str(folder)])
    assert result.exit_code == 2
    assert "holds no pictures" in result.output


def test_an_unknown_set_names_the_known_ones() -> None:
    result = runner.invoke(app, ["build", "holiday"])
    assert result.exit_code == 2
    assert "no scene set 'holiday'" in result.output
    assert "training" in result.output


def test_an_unknown_preset_names_the_known_ones() -> None:
    result = runner.invoke(app, ["build", "small", "--preset", "minus"])
    assert result.exit_code == 2
    assert "no preset 'minus'" in result.output
    assert "plus" in result.output


def test_a_preset_whose_encoder_no_cache_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: paper\nencoder: resnet152\n")
    result = runner.invoke(app, ["build", "small", "--preset", str(tmp_path / "mine.yaml")])
    assert result.exit_code == 1
    assert "no percept cache holds latents of resnet152; caches hold efficientnet_lite0," in result.output


def test_a_photograph_that_vanishes_during_a_build_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def vanished(*_: object, **__: object) -> None:
        raise SceneError("scene a: /photos/a.jpg: there is no such file")

    monkeypatch.setattr(build, "build_cache", vanished)
    result = runner.invoke(app, ["build", "small"])
    assert result.exit_code == 1
    assert "a.jpg: there is no such file; what is computed is kept: put the photograph" in result.output


@pytest.mark.parametrize(
    ("found", "code", "says"),
    [
        (CacheError("the photograph has changed since"), 1, "error: the photograph has changed since"),
        (SceneError("scene a: no such file"), 1, "error: scene a: no such file"),
        ([Error(REGIMES[0].name, "latent", 0.7, 0.8, 0.0)], 1, "is another than this machine computes"),
        ([Error(REGIMES[0].name, "latent", 0.001, 0.002, 0.0)], 0, "0.0010"),
    ],
)
def test_a_check_fails_where_a_cache_is_another_one(
    found: Exception | list[Error],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measured(_cache: object, _points: int, _seed: int, told: Callable[[int, int], None]) -> list[Error]:
        told(3, 100)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(check, "check", measured)
    result = runner.invoke(app, ["check", str(synthetic_cache(tmp_path / "c", planes=1).path)])
    assert result.exit_code == code
    assert says in result.output
    assert "renderings: 3 of 100" in result.output


@pytest.mark.parametrize("command", ["info", "check"])
def test_without_a_cache_the_way_to_one_is_shown(command: str) -> None:
    result = runner.invoke(app, [command])
    assert result.exit_code == 1
    assert "make one with `dasha cache build`" in result.output


def test_a_damaged_cache_is_explained(own_cache_home: Path) -> None:
    folder = own_cache_home / "dasha_ros" / "percepts" / "old"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text("{}")
    for arguments in (["info"], ["info", "old"], ["check", str(folder)]):
        result = runner.invoke(app, arguments)
        assert result.exit_code == 1
        assert "delete the folder and run `dasha cache build` again" in result.output
