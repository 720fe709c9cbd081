"""Calls functions of the user from a thread that others depend on."""

from __future__ import annotations

from collections.abc import Callable


def call_user(
    tell: Callable[[str], object], what: str, callback: Callable[..., object], *arguments: object
) -> None:
    """Call a function: neither a mistake in it nor `sys.exit` may end the thread.

    Args:
        tell: Hears of what it raised, as a sentence.
        what: What the function is, at the beginning of that sentence.
        callback: The function.
        *arguments: Its arguments.
    """
    try:
        callback(*arguments)
    except BaseException as error:
        tell(f"{what} failed: {error!r}")
