"""Parts, their files and the page, with parts that measure nothing; and recall as it is drawn and told."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dasha_ros.benchmark.paper import registry, run
from dasha_ros.benchmark.paper.drawing import new_figure
from dasha_ros.benchmark.paper.part import Context, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts import recall
from dasha_ros.benchmark.paper.parts.recall.measure import summed_up
from dasha_ros.benchmark.paper.report import write_report
from dasha_ros.benchmark.paper.run import ReportError, read_part, run_part

MADE = {"command": "dasha & so on"}


def draw(data, folder):
    figure = new_figure(3.0, 2.0)
    figure.subplots().plot(data["values"])
    return [Drawing("lines_all", figure, "Values < 4")]


LINES = Part(
    name="lines",
    title="Lines & values",
    place=1,
    shows=("Figure 3",),
    compute=lambda context: {"values": [1, 3, 2]},
    rows=lambda data: [{"value": value} for value in data["values"]],
    draw=draw,
    text=lambda data: "<p>three of them</p>",
    after=lambda data: "<p>that was all</p>",
)


def recall_row(detector="net", lux=37.0, defocus=0.0, photograph="a.jpg", off=False, on=True):
    return {
        "detector": detector, "illuminance_lx": lux, "defocus_d": defocus, "photograph": photograph,
        "off": off, "on": on,
    }  # fmt: skip


def test_every_module_below_parts_is_a_part_with_a_name_of_its_own() -> None:
    found = registry.parts()
    assert "recall" in {part.name for part in found}
    assert len({part.name for part in found}) == len(found)
    assert [part.place for part in found] == sorted(part.place for part in found)
    assert {name for part in found for name in part.shows} <= registry.PAPER.keys()
    with pytest.raises(ValueError, match=r"no part 'figure_99'.*recall"):
        registry.chosen(["figure_99"])
    assert [part.name for part in registry.chosen(["recall"])] == ["recall"]


def test_the_page_is_whole_and_says_what_is_missing(tmp_path: Path) -> None:
    assert run_part(LINES, Context(tmp_path), MADE)
    later = replace(LINES, name="later", title="Later", shows=("Figure 8",))
    text = write_report(tmp_path, [LINES, later]).read_text()
    assert "Lines &amp; values" in text
    assert "dasha &amp; so on" in text
    assert text.index("three of them") < text.index("<svg") < text.index("Values &lt; 4")
    assert text.index("Values &lt; 4") < text.index("that was all")
    missing = text.partition("What is missing")[2]
    assert "Later: not computed yet: dasha benchmark paper --out DIR --part later" in missing
    assert "Table 1: " in missing
    assert "Figure 3: " not in missing  # shown
    assert "Figure 8: " not in missing  # a part of its own says why
    assert not {"<script", "<img", "<link"} & set(text.split())  # nothing is loaded from elsewhere
    assert [line["value"] for line in csv.DictReader((tmp_path / "lines.csv").open())] == ["1", "3", "2"]
    assert (tmp_path / "lines_all.png").read_bytes().startswith(b"\x89PNG")
    again = (tmp_path / "lines_all.svg").read_bytes()
    run_part(LINES, Context(tmp_path), MADE)
    assert (tmp_path / "lines_all.svg").read_bytes() == again


def test_a_part_that_lacks_something_says_so_and_keeps_what_an_earlier_run_found(tmp_path: Path) -> None:
    def lacks(context: Context):
        raise PartMissingError("no cache <here>: build one")

    told: list[str] = []
    context = Context(tmp_path, note=told.append)
    assert not run_part(replace(LINES, compute=lacks), context, MADE)
    assert told == ["lines is left out: no cache <here>: build one"]
    assert "no cache &lt;here&gt;" in write_report(tmp_path, [LINES]).read_text()
    run_part(LINES, context, MADE)
    assert not run_part(replace(LINES, compute=lacks), context, MADE)
    held = read_part(LINES, tmp_path)
    assert held is not None
    assert held["data"] == {"values": [1, 3, 2]}


def test_a_full_disk_and_a_file_of_something_else_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lines.json").write_text("[1]")
    with pytest.raises(ReportError, match="holds no results of lines"):
        write_report(tmp_path, [LINES])
    (tmp_path / "lines.json").write_text("{")
    with pytest.raises(ReportError, match=r"lines\.json"):
        write_report(tmp_path, [LINES])

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "write_whole", full)
    with pytest.raises(ReportError, match=r"disk .* is full"):
        run_part(LINES, Context(tmp_path), MADE)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no such file"),
        ("", "not a whole SVG"),
        ("<html/>", "not a whole SVG"),
        ("<svg><g>", "not a whole SVG"),
    ],
)
def test_a_figure_that_is_missing_or_damaged_is_named_with_the_command_that_writes_it_again(
    content: str | None, why: str, tmp_path: Path
) -> None:
    other = replace(
        LINES, name="other", title="Other", draw=lambda data, folder: [], text=lambda data: "here"
    )
    for part in (LINES, other):
        run_part(part, Context(tmp_path), MADE)
    figure = tmp_path / "lines_all.svg"
    drawn = figure.read_bytes()
    figure.unlink()
    if content is not None:
        figure.write_text(content)
    with pytest.raises(ReportError) as told:
        write_report(tmp_path, [LINES, other])
    first, last = str(told.value).splitlines()
    assert first.startswith(f"the figure {figure}: ")
    assert why in first
    assert first.endswith("write it again with `dasha benchmark paper --out DIR --part lines`")
    assert last == f"{tmp_path / 'report.html'} has all the rest"
    page = (tmp_path / "report.html").read_text()
    assert "three of them" in page
    assert "<p>that was all</p>" in page
    assert "here" in page
    assert "--part lines`</li>" in page.partition("What is missing")[2]
    run_part(LINES, Context(tmp_path), MADE)
    assert figure.read_bytes() == drawn
    assert "<svg" in write_report(tmp_path, [LINES, other]).read_text()


@pytest.mark.parametrize(
    "content",
    ["{", "[1]", "", '{"data": {"values": []}}', '{"data": {}, "made": {}, "figures": ["lines_all"]}'],
)
def test_damaged_results_are_named_and_the_page_shows_the_other_parts(content: str, tmp_path: Path) -> None:
    other = replace(
        LINES, name="other", title="Other", draw=lambda data, folder: [], text=lambda data: "here"
    )
    for part in (LINES, other):
        run_part(part, Context(tmp_path), MADE)
    (tmp_path / "lines.json").write_text(content)
    (tmp_path / "third.json").mkdir()
    with pytest.raises(ReportError) as told:
        write_report(tmp_path, [LINES, other, replace(LINES, name="third")])
    first, second, last = str(told.value).splitlines()
    assert "lines.json" in first
    assert first.endswith("write it again with `dasha benchmark paper --out DIR --part lines`")
    assert "third.json: is a folder, not a file" in second
    assert "has all the rest" in last
    assert "here" in (tmp_path / "report.html").read_text()
    run_part(LINES, Context(tmp_path), MADE)
    assert "three of them" in write_report(tmp_path, [LINES, other]).read_text()


def test_a_part_that_lacks_something_keeps_a_damaged_file_and_says_so(tmp_path: Path) -> None:
    def lacks(context: Context):
        raise PartMissingError("no cache: build one")

    (tmp_path / "lines.json").write_text('{"data": {"values": [1, 3')
    told: list[str] = []
    assert not run_part(replace(LINES, compute=lacks), Context(tmp_path, note=told.append), MADE)
    assert told[0] == "lines is left out: no cache: build one"
    assert "lines.json: is not JSON" in told[1]
    assert (tmp_path / "lines.json").read_text().endswith("3")


def test_recall_is_drawn_and_told_from_what_stands_in_the_file(tmp_path: Path) -> None:
    rows = [recall_row(photograph=p, defocus=d) for p in ("a.jpg", "b.jpg") for d in (0.0, 1.0)]
    rows += [recall_row("<net>", photograph=p, off=True) for p in ("a.jpg", "b.jpg")]
    found = summed_up(rows)
    data = {"missing": {"nanodet": "not fetched & so on"}, "recall": [asdict(r) for r in found]}
    part = replace(recall.PART, compute=lambda context: data)
    run_part(part, Context(tmp_path), MADE)
    assert json.loads((tmp_path / "recall.json").read_text())["data"]["missing"] == data["missing"]
    lines = list(csv.DictReader((tmp_path / "recall.csv").open()))
    assert len(lines) == len(found)
    assert {"off_low", "on_high"} <= lines[0].keys()
    text = write_report(tmp_path, [part]).read_text()
    assert "&lt;net&gt;" in text
    assert "nanodet: not fetched &amp; so on" in text
    assert "off finds nothing" in text
