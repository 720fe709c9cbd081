"""``dasha cache`` and its error messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dasha_ros.cli.cache import app

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
