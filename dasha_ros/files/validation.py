"""Turns pydantic's errors into messages for users."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def reasons(error: ValidationError | TypeError, whole: str = "") -> str:
    """One clause for every mistake in a document, with its key and a short value.

    Args:
        error: The error of the model; a `TypeError` if a key of the document is not a text.
        whole: Replaces the key if the mistake is about the whole document.
    """
    if isinstance(error, TypeError):
        return str(error)
    return "; ".join(_reason(e["loc"], e["msg"], whole) for e in error.errors(include_url=False))


def _reason(location: tuple[int | str, ...], message: str, whole: str) -> str:
    key = ".".join(map(str, location)) or whole
    return f"{key}: {message}" if key else message
