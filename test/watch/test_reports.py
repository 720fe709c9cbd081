"""The reports that the page lists: the newest, and nothing outside of their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.watch.reports import SHOWN, ReportFolder

NAME = "20261127T214838214Z-person"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reports = tmp_path / "reports"
    for n in range(SHOWN + 3):
        report = reports / f"20261127T2148{n:02}214Z-person"
        report.mkdir(parents=True)
        (report / "index.html").write_text(f"<p>{n}")
        (report / "step-0001.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "secret.html").write_text("secret")
    return reports


def test_the_newest_come_first(folder: Path) -> None:
    (folder / ".20261127T214899214Z-person.12.part").mkdir()
    (folder / "notes").mkdir()
    names = ReportFolder(folder).newest()
    assert names == [f"20261127T2148{n:02}214Z-person" for n in range(SHOWN + 2, 2, -1)]
    assert ReportFolder(folder / "missing").newest() == []


def test_pages_and_pictures_are_read(folder: Path) -> None:
    reports = ReportFolder(folder)
    name = reports.newest()[0]
    assert reports.read(name, "index.html") == (b"<p>14", "text/html")
    assert reports.read(name, "step-0001.jpg") == (b"\xff\xd8", "image/jpeg")
    assert reports.read(name, "step-0002.jpg") is None


@pytest.mark.parametrize(
    ("report", "file"),
    [("..", "secret.html"), (".", "index.html"), ("", "index.html"), ("../reports", "index.html"),
     ("20261127T214800214Z-person", "../../secret.html"), ("20261127T214800214Z-person", "secret.html"),
     ("20261127T214800214Z-person", "/etc/passwd"), ("20261127T214800214Z-person", "report.json"),
     ("20261127T214800214Z-person/..", "index.html"), ("20261127T214800214Z-person", ".jpg"),
     ("20261127T214800214Z-person", "index.html\0.jpg"), ("20261127T214800214Z-person", "x/step-0001.jpg")],
)  # fmt: skip
def test_no_way_leads_out(folder: Path, report: str, file: str) -> None:
    assert ReportFolder(folder).read(report, file) is None


def test_links_are_not_followed(folder: Path) -> None:
    inside = folder / "20261127T214800214Z-person"
    (inside / "leak.jpg").symlink_to(folder.parent / "secret.html")
    (folder / NAME).symlink_to(folder.parent)
    (folder.parent / "index.html").write_text("secret")
    assert ReportFolder(folder).read(inside.name, "leak.jpg") is None
    assert ReportFolder(folder).read(NAME, "index.html") is None


def test_a_pipe_or_a_folder_blocks_nobody(folder: Path) -> None:
    import os

    inside = folder / "20261127T214800214Z-person"
    os.mkfifo(inside / "pipe.jpg")
    (inside / "folder.jpg").mkdir()
    assert ReportFolder(folder).read(inside.name, "pipe.jpg") is None
    assert ReportFolder(folder).read(inside.name, "folder.jpg") is None
