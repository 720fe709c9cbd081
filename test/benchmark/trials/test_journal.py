"""Rows in a file: kept at once, read again, and refused when they are something else."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict
from small_disk import files_of_at_most

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


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    "cut_off", [b"{", b'{"id": "', b'{"id": "b", "blur', b'{"id": "b", "name": "M\xc3\xbc']
)
def test_a_row_that_was_cut_off_is_dropped(tmp_path, cut_off, mark):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(mark + b'{"id": "a", "blur_px": 1.5}\n' + cut_off)
    with Journal(path) as journal:
        assert set(journal.rows) == {"a"}
        journal.add("c", {})
    assert path.read_bytes() == mark + b'{"id": "a", "blur_px": 1.5}\n{"id": "c"}\n'


def test_blank_lines_of_an_editor_mean_nothing(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n\n{"id": "b"}\n  ')
    with Journal(path) as journal:
        assert set(journal.rows) == {"a", "b"}
        journal.add("c", {})
    assert set(Journal(path).rows) == {"a", "b", "c"}


def test_a_last_row_that_lacks_only_its_newline_is_kept(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}')
    with Journal(path) as journal:
        journal.add("c", {})
    assert path.read_text() == '{"id": "a"}\n{"id": "b"}\n{"id": "c"}\n'


def test_a_row_without_what_its_reader_needs_counts_as_not_played(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "blur_px": 1.5}\n')
    with Journal(path) as journal:
        assert journal.take("a", {"blur_px", "frames"}) is None
        assert not journal.played
        journal.add("a", {"blur_px": 1.5, "frames": 3})
    with Journal(path) as journal:
        assert journal.take("a", {"blur_px", "frames"}) == {"id": "a", "blur_px": 1.5, "frames": 3}


class Row(BaseModel):
    model_config = ConfigDict(strict=True)

    frames: int


def test_a_row_with_a_value_of_another_kind_is_refused_with_its_file_and_key(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "frames": "x"}\n{"id": "b", "frames": 3}\n{"id": "c"}\n')
    with Journal(path) as journal:
        assert journal.take("b", model=Row) == {"id": "b", "frames": 3}
        assert journal.take("c", model=Row) is None
        with pytest.raises(JournalError, match=rf"^{path}: the row with the id a .*frames = 'x': .*remove"):
            journal.take("a", model=Row)


def test_a_full_disk_is_told_once_and_costs_only_the_row_that_did_not_fit(tmp_path):
    path = tmp_path / "rows.jsonl"
    journal = Journal(path)
    journal.add("a", {})
    with files_of_at_most(30), pytest.raises(JournalError, match="can't be written: File too large"), journal:
        journal.add("b", {"words": "x" * 100})
    with Journal(path) as journal:
        assert set(journal.rows) == {"a"}
        journal.add("b", {})
    assert path.read_text() == '{"id": "a"}\n{"id": "b"}\n'


@pytest.mark.parametrize(
    "text", ["hello\n", "[1]\n", '{"name": 1}\n', "3\n", "hello", "3", '{"name": 1}', '{"id": 1']
)
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
