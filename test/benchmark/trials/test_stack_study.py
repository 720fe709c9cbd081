"""Policies on a small stack that the twin made: rows, sums, resuming, and the page of what failed."""

from __future__ import annotations

import errno
import json
import os
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from stack_maker import squares_stack, twin_stack, write_description

from dasha_ros.benchmark.methods import MethodError, perception_for
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.stack_page import write_stack_page
from dasha_ros.benchmark.trials.stacks import StackStudy, play_stacks, stack_methods
from dasha_ros.benchmark.trials.summary import stack_rows, stack_tables
from dasha_ros.devices.stack.description import StackError, load_stack
from dasha_ros.learning.evaluation.stacks import stacks_in

NAMES = ["plus", "oracle", "constant:8", "paper"]
FRAMES = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    twin_stack(folder / "near", FRAMES)
    squares_stack(folder / "without_truth")
    write_description(folder / "without_truth", blur_px_per_frame=0.5)
    squares_stack(folder / "unknown")
    thing = {"label": "astrolabe", "sharpest_frame": 1, "in_focus": [0, 2], "box": [0, 0, 1, 1]}
    write_description(folder / "unknown", blur_px_per_frame=0.5, objects=[thing])
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def perception():
    return perception_for(NAMES, "focus")


@pytest.fixture(scope="module")
def played(folder, perception, tmp_path_factory):
    """A study, its rows, and their file."""
    path, study = tmp_path_factory.mktemp("rows") / "rows.jsonl", StackStudy()
    with Journal(path) as journal:
        rows = play_stacks(stacks_in(folder)[0], stack_methods(NAMES), perception, journal, study=study)
    return study, rows, path


def test_folders_that_are_no_stack_are_told(folder):
    stacks, skipped = stacks_in(folder)
    assert [stack.name for stack in stacks] == ["near", "unknown", "without_truth"]
    assert skipped == {
        "empty": "it holds no stack.yaml; docs/how-to/use-focal-stacks.md says how to write one"
    }
    assert [stack.name for stack in stacks_in(folder / "near")[0]] == ["near"]
    with pytest.raises(StackError, match="holds no focal stack"):
        stacks_in(folder / "empty")
    with pytest.raises(StackError, match="no such folder"):
        stacks_in(folder / "nowhere")


def test_each_stack_and_policy_that_can_not_play_has_its_own_reason(played):
    study, _, _ = played
    assert set(study.skipped) == {"unknown", "without_truth"}
    assert "names no objects" in study.skipped["without_truth"]
    assert "does not know the label 'astrolabe'" in study.skipped["unknown"]
    assert set(study.refused) == {"paper"}
    assert "was trained with the lens physical" in study.refused["paper"]


def test_rows_tell_the_start_the_way_and_the_truth(played):
    _, rows, _ = played
    assert len(rows) == 3 * FRAMES
    for row in rows:
        assert (row["stack"], row["object"], row["tone"], row["near"]) == (
            "near",
            "motorcycle",
            "linear",
            True,
        )
        assert row["trajectory"][0] == row["start"]
        assert row["false_found"] == (row["code"] == "NONE" and row["blur_px"] > 2.0)
        assert row["blur_px"] == row["trajectory_px"][-1]
        # The truth, computed again: 1.5 px a frame from frame 2, at whole frames.
        assert row["trajectory_px"] == pytest.approx(
            [1.5 * abs(round(position) - 2) for position in row["trajectory"]], abs=1e-3
        )
        # The true box fills the middle of the picture, and so does the motorcycle.
        assert not row["found_another"]
        assert (row["box"] is not None) == row["detected"]
        assert row["in_focus"] == (row["blur_px"] <= 1.51)
    mine = {row["start"]: row for row in rows if row["policy"] == "constant:8"}
    assert {row["blur_px"] for row in mine.values()} == {9.0}
    assert [row["start"] for row in rows if row["policy"] == "oracle"] == list(range(FRAMES))


def test_the_learned_policy_finds_it_and_the_oracle_always_does(played):
    _, rows, _ = played
    sums = {row["policy"]: row for row in stack_rows(rows) if row["objects"] == "all"}
    assert sums["oracle"]["within_1px"] == 1.0
    assert sums["plus"]["within_2px"] >= 0.7
    assert sums["constant:8"]["within_2px"] == 0.0
    assert (sums["plus"]["episodes"], sums["plus"]["units"], sums["plus"]["clusters"]) == (FRAMES, 1, 1)
    text = stack_tables(stack_rows(rows))
    assert "near objects (1 objects of 1 stacks)" in text
    assert "far objects" not in text


def test_another_thing_of_that_name_is_told(folder, perception, tmp_path):
    """The truth is said to be in a corner, where there is nothing."""
    shutil.copytree(folder / "near", tmp_path / "corner")
    thing = {"label": "motorcycle", "sharpest_frame": 2, "in_focus": [1, 3], "box": [0.0, 0.0, 0.04, 0.05]}
    write_description(tmp_path / "corner", blur_px_per_frame=1.5, objects=[thing])
    rows = play_stacks(
        [load_stack(tmp_path / "corner")], stack_methods(["oracle", "constant:8"]), perception, Journal()
    )
    for row in rows:
        assert row["found_another"] == (row["policy"] == "oracle")


def test_what_was_played_is_not_played_again(played, folder, perception, monkeypatch):
    _, rows, path = played
    monkeypatch.setattr("dasha_ros.benchmark.trials.stacks.play_focus", None)
    with Journal(path) as journal:
        again = play_stacks(stacks_in(folder)[0], stack_methods(NAMES), perception, journal)
        assert again == rows
        assert journal.resumed == len(rows)


@pytest.mark.parametrize("key", ["tone", "near", "blur_px", "box"])
def test_a_row_that_lacks_a_key_is_played_again(played, folder, perception, tmp_path, key):
    _, rows, path = played
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    del lines[0][key]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Journal(tmp_path / "rows.jsonl") as journal:
        again = play_stacks(stacks_in(folder)[0], stack_methods(NAMES), perception, journal)
        assert journal.resumed == len(rows) - 1
    assert stack_tables(stack_rows(again)) == stack_tables(stack_rows(rows))


def test_a_folder_that_can_not_be_read_costs_only_itself(folder, monkeypatch):
    real = Path.exists

    def exists(path, **options):
        if path.parent.name == "unknown":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, "exists", exists)
    stacks, skipped = stacks_in(folder)
    assert [stack.name for stack in stacks] == ["near", "without_truth"]
    assert skipped["unknown"] == "it can't be read: Permission denied"


def test_what_an_interrupted_study_played_stays(folder, perception):
    journal = Journal()

    def stop(done: int, total: int, what: str) -> None:
        assert total == FRAMES
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_stacks(
            [load_stack(folder / "near")], stack_methods(["oracle"]), perception, journal, progress=stop
        )
    assert len(journal.played) == 3


def test_a_study_of_nothing_is_refused(folder, perception):
    with pytest.raises(StackError, match=r"no stack can be used; without_truth: stack.yaml names no objects"):
        play_stacks([load_stack(folder / "without_truth")], stack_methods(["oracle"]), perception, Journal())
    with pytest.raises(MethodError, match="no policy can run on a stack; paper: "):
        play_stacks([load_stack(folder / "near")], stack_methods(["paper"]), perception, Journal())


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.failures = 0

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.pictures.append(dict(attrs)["src"])
        self.failures += tag == "h3"


def test_the_page_shows_what_failed(played, folder, tmp_path):
    _, rows, _ = played
    stacks = [load_stack(folder / "near")]
    target = tmp_path / "page"
    for _ in range(2):
        page = write_stack_page(target, stacks, rows)
    links = Links()
    links.feed(page.read_text())
    failed = [row for row in rows if row["code"] != "NONE" or row["blur_px"] > 2.0]
    assert links.failures == len(failed) >= FRAMES
    assert len(links.pictures) == 3 * len(failed)
    assert {str(path.relative_to(target)) for path in (target / "pictures").iterdir()} == set(links.pictures)
    # Each frame of the object is one picture, however many episodes show it.
    assert len(set(links.pictures)) <= FRAMES
    shutil.rmtree(target)
    target.write_text("a file")
    with pytest.raises(ValueError, match="can't be written"):
        write_stack_page(target, stacks, rows)
