"""Rows in a file: kept at once, read again, and refused when they are something else."""

from __future__ import annotations

import pytest

from dasha_ros.benchmark.trials.journal import Journal, JournalError


def test_rows_are_there_at_once_and_come_back(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Journal(path) as journal:
        journal.add("a", {"blur_px": 1.5})
        assert path.read_text() == '{"id": "a", "blur_px": 1.5}\n'
    with Journal(path) as journal:
        assert journal.rows == {"a": {"id": "a", "blur_px": 1.5}}
        journal.add("b", {"blur_px": 2.5})
    assert set(Journal(path).rows) == {"a", "b"}


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Journal(path) as journal:
        journal.add("a", {"blur_px": 1.5})
    with path.open("a") as file:
        file.write('{"id": "b", "blur')
    with Journal(path) as journal:
        assert set(journal.rows) == {"a"}
        journal.add("c", {})
    assert set(Journal(path).rows) == {"a", "c"}


@pytest.mark.parametrize("text", ["hello\n", "[1]\n", '{"name": 1}\n', "3\n"])
def test_another_file_is_refused_and_stays(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(JournalError, match=r"line 1 is no row .*: remove the line, and the others are kept"):
        Journal(path)
    assert path.read_text() == text


def test_without_a_file_rows_are_only_remembered():
    with Journal() as journal:
        assert journal.add("a", {"x": 1}) == {"id": "a", "x": 1}
    assert journal.rows["a"]["x"] == 1


def test_a_place_that_can_not_be_written_is_a_sentence(tmp_path):
    with pytest.raises(JournalError, match="can't be written"):
        Journal(tmp_path / "missing" / "rows.jsonl")
