"""Reports are complete or absent, and readable for programs and people."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros import report
from dasha_ros.report import writer as writer_module
from dasha_ros.report.page import _duration

JPEG = b"\xff\xd8 not really a picture \xff\xd9"


def step(agent="A^L", index=0, label="motorbike", score=0.9, brisque=30.0, **command):
    return {
        "agent": agent,
        "index": index,
        "command": {"id": {"sender": "a", "sequence": 7}, **command},
        "frame": {
            "stamp_ns": 9,
            "exposure_us": 10_000.0,
            "gain_db": 0.0,
            "sequence": index,
            "exposure_command": {"sender": "h", "sequence": 5},
        },
        "lens": {
            "command": {"sender": "a", "sequence": 7},
            "commanded_position": 45.0,
            "position": 44.98,
            "unit": "V",
            "settled_at_ns": 8,
        },
        "percept": {
            "width": 640,
            "height": 340,
            "encoder": "efficientnet_lite0",
            "histogram_counts": list(range(10)),
            "histogram_peak": 127.0,
            "mean_grey": 120.0,
            "brisque": brisque,
            "sharpness": 0.1,
            "detections": [
                {"label": "person", "score": 0.99, "box": [0, 0, 9, 9]},
                {"label": label, "score": score, "box": [1, 2, 3, 4], "sharpness": 0.2},
            ],
            "stage_ms": {"detector": 14.0, "encoder": 18.0, "total": 33.0},
        },
        "reward": {"value": -0.3, "terms": {"brisque": -0.3}},
    }


OUTCOME = {
    "error_code": 0,
    "error_name": "NONE",
    "error_msg": "",
    "detection": {"label": "motorbike", "score": 0.9, "box": [1, 2, 3, 4]},
    "brisque": 30.0,
    "exposure_steps": 1,
    "focus_steps": 2,
    "seconds": 1.5,
}


def write(folder: Path, labels=("motorbike",), keep=100, steps=None, outcome=None) -> Path:
    running = report.ReportWriter(folder, keep).begin(
        {"labels": labels, "min_score": 0.3, "max_brisque": 100.0, "max_steps": 80},
        {"version": "0.1.0", "encoder": "e", "detector": "d", "exposure_policy": "h", "focus_policy": "c"},
        {"exposure_us": 200.0, "lens_position": 24.0, "lens_unit": "V"},
    )
    running.picture("before", JPEG)
    for record, picture in steps or [(step("A^H", exposure_us=1e4), JPEG), (step(lens_position=45.0), None)]:
        running.step(record, picture)
    running.picture("after", JPEG + b"2")
    return running.finish(
        {**OUTCOME, **(outcome or {})},
        {
            "exposure_us": 1e4,
            "lens_position": 45.0,
            "lens_unit": "V",
            "focus_distance_m": 0.645,
        },
    )


class _Page(HTMLParser):
    """Collects what a page loads and checks that every element is closed."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [v for k, v in attrs if k in {"src", "href"} and v]
        assert not [k for k, _ in attrs if k.startswith("on")]
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID and self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        self.text += data


def test_a_report_is_read_back_as_written(tmp_path):
    folder = write(tmp_path)
    record = report.load(folder)
    assert record == report.load(folder / "report.json")
    assert record.goal.labels == ("motorbike",)
    assert (record.before.exposure_us, record.after.lens_position) == (200.0, 45.0)
    assert [s.picture for s in record.steps] == ["step-0000.jpg", None]
    assert record.steps[1].percept.detections[1].box == (1, 2, 3, 4)
    assert record.outcome.seconds == 1.5
    assert (folder / "before.jpg").read_bytes() == JPEG
    assert (folder / "after.jpg").read_bytes() == JPEG + b"2"
    assert (folder / "step-0000.jpg").read_bytes() == JPEG
    document = json.loads((folder / "report.json").read_text())
    assert (document["format"], document["version"]) == ("dasha-report", 3)


def test_best_score_is_of_a_wanted_object(tmp_path):
    record = report.load(write(tmp_path, labels=("motorbike", "cat")))
    assert [record.best_score(s) for s in record.steps] == [0.9, 0.9]
    record = report.load(write(tmp_path, labels=()))
    assert record.best_score(record.steps[0]) == 0.99
    record = report.load(write(tmp_path, labels=("cat",)))
    assert record.best_score(record.steps[0]) is None


def test_numbers_that_are_not_finite_become_null(tmp_path):
    bad = step(brisque=math.nan, score=math.inf)
    folder = write(tmp_path, steps=[(bad, None)])
    assert "NaN" not in (folder / "report.json").read_text()
    record = report.load(folder)
    assert record.steps[0].percept.brisque is None
    assert record.best_score(record.steps[0]) is None


@given(
    labels=st.lists(st.text(min_size=1, max_size=20), max_size=3),
    message=st.text(max_size=80),
    scores=st.lists(st.floats(allow_nan=True), max_size=5),
)
def test_any_text_makes_a_well_formed_page_of_its_own_files(tmp_path_factory, labels, message, scores):
    folder = write(
        tmp_path_factory.mktemp("reports"),
        labels=tuple(labels),
        steps=[(step(index=i, label=message or "x", score=s), JPEG) for i, s in enumerate(scores)] or None,
        outcome={"error_code": 202, "error_name": "OBJECT_NOT_FOUND", "error_msg": message},
    )
    page = _Page((folder / "index.html").read_text())
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert all((folder / source).is_file() for source in page.sources)
    assert folder.parent == folder.parent.parent / folder.parent.name  # a label never leaves the folder
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_page_escapes_markup(tmp_path):
    folder = write(tmp_path, outcome={"error_code": 500, "error_msg": "<script>alert(1)</script>"})
    page = _Page((folder / "index.html").read_text())
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_page_shows_every_step_and_both_pictures(tmp_path):
    text = (write(tmp_path) / "index.html").read_text()
    page = _Page(text)
    assert {"before.jpg", "after.jpg", "step-0000.jpg"} <= set(page.sources)
    assert text.split("<tbody>")[1].count("<tr>") == 2
    assert text.count("<circle") == 4 * 2
    assert text.count("<td>33</td>") == 2
    assert "https://" not in text
    assert "http://" not in text


def test_page_tells_that_an_exposure_is_shorter_than_a_flicker(tmp_path):
    record = step()
    assert "flicker" not in (write(tmp_path, steps=[(record, None)]) / "index.html").read_text()
    record["percept"]["flicker_hz"], record["frame"]["exposure_us"] = 100.0, 4000.0
    text = (write(tmp_path, steps=[(record, None)]) / "index.html").read_text()
    assert "the light flickers at 100 Hz, and 4000 us are shorter than a flicker" in text


def test_exposures_on_the_axis_are_easy_to_read(tmp_path):
    steps = [(step(index=0), None), (step(index=1), None)]
    for (record, _), exposure_us in zip(steps, (61_560.0, 10_000.0), strict=True):
        record["frame"]["exposure_us"] = exposure_us
    svg = (write(tmp_path, steps=steps) / "index.html").read_text().split("<svg")[1].split("</svg>")[0]
    assert ">61.6 ms<" in svg
    assert ">10 ms<" in svg
    assert "over 2 steps" in svg


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(24.0, "24 µs"), (999.9, "1000 µs"), (1000.0, "1 ms"), (61_560.0, "61.6 ms"), (2.5e6, "2.5 s")],
)
def test_durations_have_three_digits_and_a_unit(microseconds, text):
    assert _duration(microseconds) == text


def test_goal_without_steps_has_a_page(tmp_path):
    running = report.ReportWriter(tmp_path).begin({"labels": ["cat"]})
    folder = running.finish({**OUTCOME, "error_code": 301, "error_name": "CAMERA_LOST", "detection": None})
    assert "ended before the first step" in (folder / "index.html").read_text()
    assert report.load(folder).steps == ()


def test_keeps_the_newest_and_nothing_else_of_its_own(tmp_path):
    foreign = tmp_path / "notes"
    foreign.mkdir()
    folders = [write(tmp_path, keep=3) for _ in range(5)]
    assert sorted(p for p in tmp_path.iterdir() if p != foreign) == sorted(folders[2:])
    assert foreign.is_dir()


def test_removes_leftovers_of_dead_processes_but_not_of_living_ones(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True
    )
    orphan = tmp_path / f".20260101T000000000Z-cat.{int(dead.stdout)}.part"
    orphan.mkdir()
    running = report.ReportWriter(tmp_path).begin({})
    report.ReportWriter(tmp_path).begin({"labels": ["dog"]}).finish(OUTCOME)
    assert not orphan.exists()
    assert report.load(running.finish(OUTCOME)).goal.labels == ()


def test_discarded_report_leaves_nothing(tmp_path):
    running = report.ReportWriter(tmp_path).begin({})
    running.step(step(), JPEG)
    running.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("full_at", ["before.jpg", "step-0000.jpg", "report.json", "index.html"])
def test_a_full_disk_gives_a_sentence_and_leaves_no_files(tmp_path, monkeypatch, full_at):
    real = writer_module._write

    def disk(path: Path, content: bytes) -> None:
        if path.name == full_at:
            real(path, content[:3])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    monkeypatch.setattr(writer_module, "_write", disk)
    with pytest.raises(report.ReportError, match=r"No space left on device.*Free some space"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_really_full_disk(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root; the injected error covers the same path")
    try:
        running = report.ReportWriter(tmp_path).begin({})
        with pytest.raises(report.ReportError, match="No space left on device"):
            running.step(step(), JPEG * 10_000)
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_file_in_place_of_the_folder_gives_a_sentence(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(report.ReportError, match=r"no report can be written to .*file.*report_dir"):
        report.ReportWriter(path / "reports").begin({})


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"agent": "A^X"}, "agent"), ({"frame": None}, "frame"), ({"latent": [1.0]}, "latent")],
)
def test_step_of_another_form_is_refused(tmp_path, change, reason):
    running = report.ReportWriter(tmp_path).begin({})
    with pytest.raises(report.ReportError, match=f"step is not valid: {reason}"):
        running.step({**step(), **change})
    assert report.load(running.finish(OUTCOME)).steps == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"format": "dasha-report", "version": 1}', "report of version 1.*reads version 3"),
        ('{"format": "other"}', "is not a report of dasha_ros"),
        ("[]", "is not a report of dasha_ros"),
        ('{"format"', "is not JSON"),
        ('{"format": "dasha-report", "version": 3, "goal": {}}', "is damaged: began"),
    ],
)
def test_load_explains_unreadable_reports(tmp_path, text, sentence):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(report.ReportError, match=sentence):
        report.load(tmp_path)


def test_load_explains_a_missing_report(tmp_path):
    with pytest.raises(report.ReportError, match="there is no such file"):
        report.load(tmp_path / "nothing")
