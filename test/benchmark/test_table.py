"""Rows as Markdown."""

from __future__ import annotations

from dasha_ros.benchmark.table import markdown


def test_numbers_stand_right_shares_in_per_cent_and_gaps_as_dashes():
    rows = [
        {"policy": "a", "episodes": 20, "within_2px": 0.975, "moves_first": 4.256},
        {"policy": "bcdef", "episodes": 3, "within_2px": 1.0, "moves_first": None},
    ]
    assert markdown(rows) == (
        "| policy | episodes | within 2 px | moves to first in focus |\n"
        "| ------ | -------: | ----------: | ----------------------: |\n"
        "| a      |       20 |      97.5 % |                    4.26 |\n"
        "| bcdef  |        3 |     100.0 % |                       - |\n"
    )


def test_columns_are_chosen_and_ordered():
    assert markdown([{"a": 1, "b": 2}], ["b"]).splitlines()[0] == "|    b |"
    assert markdown([{"a": 1}], ["a", "c"]).splitlines()[2] == "|    1 |    - |"


def test_a_bar_does_not_break_the_table():
    assert "x\\|y" in markdown([{"goal": "x|y"}])


def test_no_rows_no_table():
    assert markdown([]) == ""
