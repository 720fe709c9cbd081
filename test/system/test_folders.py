"""Files that belong below the home directory, where that is missing or read-only."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from dasha_ros.report.writer import ReportWriter
from dasha_ros.system import folders as user_folders
from dasha_ros.system.folders import settle, temporary_home, user_folder


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home below a file, where not even root can make a folder."""
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(user_folders.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr(user_folders, "_told", set())
    return home


def test_a_home_that_can_be_written_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder("~/.ros/dasha/reports") == tmp_path / ".ros/dasha/reports"
    environment = {"HOME": str(tmp_path)}
    settle(environment)
    assert environment == {"HOME": str(tmp_path)}


def test_files_below_home_go_to_a_temporary_folder_with_one_warning(
    no_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        folder = user_folder("~/.ros/dasha/reports")
        assert folder == temporary_home() / ".ros/dasha/reports"
    (said,) = capsys.readouterr().err.splitlines()
    assert str(no_home) in said
    assert str(folder) in said
    assert "Not a directory" in said


def test_a_folder_named_by_the_user_is_never_replaced(no_home: Path, capsys) -> None:
    named = no_home / "reports"
    assert user_folder(named) == named
    assert capsys.readouterr().err == ""


def test_reports_are_written_without_a_home(no_home: Path) -> None:
    ReportWriter("~/.ros/dasha/reports").begin(
        {"labels": ["cat"], "min_score": 0.5, "max_brisque": 50.0, "max_steps": 5, "keep_exposure": False}
    )
    assert list((temporary_home() / ".ros/dasha/reports").iterdir())


@pytest.mark.parametrize("given", ["ROS_LOG_DIR", "ROS_HOME", "HOME"])
def test_ros_logs_go_to_a_writable_folder_and_the_warning_names_the_variable(
    no_home: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"HOME": "/tmp", given: str(no_home)}
    settle(environment)
    assert environment["ROS_LOG_DIR"] == str(temporary_home() / "log")
    assert (temporary_home() / "log").is_dir()
    assert "set ROS_LOG_DIR to a folder of your own" in capsys.readouterr().err


def test_a_user_without_a_home_gets_one(monkeypatch: pytest.MonkeyPatch, no_home: Path) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(user_folders.Path, "home", nobody)
    environment: dict[str, str] = {}
    settle(environment)
    assert environment["HOME"] == str(temporary_home())


@pytest.mark.graph
def test_a_node_without_a_home_works_and_prints_one_warning(spawn, probe, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    node = spawn.node(
        "twin_world",
        env={"HOME": str(tmp_path / "file" / "home"), "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "ascii"},
    )
    probe.until_active("twin_world")
    assert node.stop(signal.SIGINT) == 0
    (said,) = [line for line in node.lines if "warning" in line]
    assert "ROS_LOG_DIR" in said
    assert "Traceback" not in node.output
