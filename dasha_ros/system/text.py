"""Words from a command line that are no text."""

from __future__ import annotations


def is_text(word: str) -> bool:
    """Whether a word can be printed and sent. Bytes that are no UTF-8 reach Python as lone surrogates."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
