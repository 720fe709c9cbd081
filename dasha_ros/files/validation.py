"""What pydantic finds wrong with a document, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def reasons(error: ValidationError | TypeError, whole: str = "") -> str:
    """What is wrong with a document, one clause for each mistake, with the keys and short values.

    Args:
        error: What a model raised; a `TypeError` where a key of the document is no text.
        whole: Stands for the key where the mistake is about the whole document.
    """
    if isinstance(error, TypeError):
        return str(error)
    return "; ".join(_reason(e["loc"], e["msg"], whole) for e in error.errors(include_url=False))


def _reason(location: tuple[int | str, ...], message: str, whole: str) -> str:
    key = ".".join(map(str, location)) or whole
    return f"{key}: {message}" if key else message
