"""The error codes, with and without ROS."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dasha_ros.policies.outcome import ErrorCode, advice, explain

ACTION = Path(__file__).parents[2] / "action" / "FocusOnObject.action"


def test_codes_are_those_of_the_action_file():
    declared = re.findall(r"^uint16 ([A-Z_]+)=(\d+)", ACTION.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(value) for name, value in declared} == {c.name: c.value for c in ErrorCode}


def test_codes_are_those_of_the_generated_interface():
    action = pytest.importorskip("dasha_ros.action", reason="interfaces are not built", exc_type=ImportError)
    result = action.FocusOnObject.Result
    for code in ErrorCode:
        assert getattr(result, code.name) == code.value


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_says_what_to_do(code):
    assert re.fullmatch(r"[A-Z].{8,}\.", advice(code))


def test_explain_joins_what_happened_and_what_to_do():
    text = explain(202, "cup not found.")
    assert text.startswith("cup not found. ")
    assert text.endswith(advice(ErrorCode.OBJECT_NOT_FOUND))
    assert explain(ErrorCode.NONE, "anything") == ""


def test_explain_ends_a_question_as_it_is_and_gives_no_advice_twice():
    text = explain(ErrorCode.LENS_LOST, "is the lens board plugged in?")
    assert text.startswith("is the lens board plugged in? The")
    text = explain(ErrorCode.LENS_LOST, "the board is gone. Check the USB cable and the board's power.")
    assert text.lower().count("check") == text.lower().count("cable") == 1


def test_unknown_code_is_an_error():
    with pytest.raises(ValueError, match="999"):
        advice(999)
