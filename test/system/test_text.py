"""Words that are no text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.system.text import is_text, sendable


def test_bytes_that_the_locale_could_not_read_are_read_as_utf_8() -> None:
    name = "/home/Jürgen".encode()
    assert sendable(name.decode("ascii", "surrogateescape")) == "/home/Jürgen"
    assert sendable("/home/J\udcfcrgen") == "/home/J\\xfcrgen"
    assert sendable("\ud800") == "\\ud800"


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_given_can_be_sent_and_texts_stay_as_they_are(word: str) -> None:
    assert is_text(sendable(word))
    assert sendable(word) == word or not is_text(word)
