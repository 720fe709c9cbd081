"""Words from a command line or of the machine that are no text."""

from __future__ import annotations


def is_text(word: str) -> bool:
    """Whether a word can be printed and sent. Bytes that are no UTF-8 reach Python as lone surrogates."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def sendable(text: str) -> str:
    """A text that a message can hold: names of files need not be text, as under a locale without UTF-8.

    Bytes that Python could not read are read as UTF-8; what is none even then is written as ``\\xe4``.
    """
    if is_text(text):
        return text
    return text.encode("utf-8", "surrogateescape" if _is_bytes(text) else "backslashreplace").decode(
        "utf-8", "backslashreplace"
    )


def _is_bytes(text: str) -> bool:
    """Whether each lone surrogate stands for a byte (PEP 383)."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
