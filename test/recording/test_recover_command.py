"""``dasha record --recover``: where the copy goes, and what is said."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from recorded_words import texts, write
from typer.testing import CliRunner

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.cli import app
from dasha_ros.recording.writer import RecordingWriter


def recovered(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["record", "--recover", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "kit.v2", texts(20))
    return tmp_path / "kit.v2"


@pytest.mark.parametrize("name", ["", ".", "./", "../kit.v2", "../kit.v2/", "inside/.."])
def test_a_folder_is_known_by_whatever_leads_to_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if ".." in name:
        (folder / "inside").mkdir()
    monkeypatch.chdir(folder)
    code, output = recovered(name)
    assert code == 0, output
    copy = folder.with_name("kit.v2-recovered")
    assert "20 messages are whole and closed in" in output
    assert {path.name for path in copy.iterdir()} == {"kit.v2-recovered_0.mcap", "metadata.yaml"}
    assert sorted(folder.parent.iterdir()) == [folder, copy]


def test_the_folder_above_and_a_home_folder_are_known(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "inside").mkdir()
    monkeypatch.chdir(folder / "inside")
    assert recovered("..")[0] == 0
    assert (tmp_path / "kit.v2-recovered").is_dir()
    write(tmp_path / "home" / "kit", texts(3))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert recovered("~/kit")[0] == 0
    assert (tmp_path / "home" / "kit-recovered").is_dir()


def test_a_file_gives_a_folder_without_its_suffix(folder: Path) -> None:
    path = folder / "kit.v2_0.mcap"
    assert recovered(str(path))[0] == 0
    assert (folder / "kit.v2_0-recovered").is_dir()


def test_a_link_gets_its_copy_beside_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "mine").symlink_to(folder)
    assert recovered(str(tmp_path / "links" / "mine"))[0] == 0
    assert (tmp_path / "links" / "mine-recovered").is_dir()


def test_the_root_and_strangers_are_no_recordings(tmp_path: Path) -> None:
    for name, reason in (("/", "/ is no recording"), ("~nobody-here/x", "there is no user 'nobody-here'")):
        code, output = recovered(name)
        assert code == 2
        assert reason in " ".join(output.split())


def test_a_second_try_after_a_failure_is_like_the_first(folder: Path) -> None:
    path = folder / "kit.v2_0.mcap"
    whole = path.read_bytes()
    path.write_bytes(b"")
    for _ in range(2):
        code, output = recovered(str(folder))
        assert code == 2
        assert "is empty: copy or download it again" in " ".join(output.split())
    path.write_bytes(whole)
    assert recovered(str(folder))[0] == 0
    code, output = recovered(str(folder))
    assert code == 2
    assert "is not empty" in output


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_copy_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    def stop(*_: object) -> None:
        assert list(copy.iterdir())
        signal.raise_signal(number)

    copy = folder.with_name("kit.v2-recovered")
    monkeypatch.setattr(RecordingWriter, "_check_size", stop)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
    try:
        assert recovered(str(folder)) == (code, "stopped: nothing was copied\n")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not copy.exists()


def test_what_is_lost_is_a_warning_and_the_rest_is_copied(folder: Path) -> None:
    path = folder / "kit.v2_0.mcap"
    content = bytearray(path.read_bytes())
    content[content.index(b"\x28\xb5\x2f\xfd") + 2000] ^= 1
    path.write_bytes(content)
    code, output = recovered(str(folder))
    said = " ".join(output.split())
    assert code == 0
    assert "warning: " in said
    assert "has 1 damaged record of" in said
    assert "of its 20 messages: everything else is used" in said
