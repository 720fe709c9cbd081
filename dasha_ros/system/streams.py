"""Standard output and error that take every character, and say in one sentence when they are closed."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


def take_every_character() -> None:
    """What a terminal's encoding has no sign for is written as an escape, and ends nothing.

    A stream that was closed before the start goes nowhere: no file that is opened later shall take its place.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):  # a test's stand-in may be none
            stream.reconfigure(errors="backslashreplace")


class _Output(io.TextIOWrapper):
    """Standard output that remembers whether it could be written."""

    failure: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.failure = error
            raise


@contextmanager
def output_told() -> Iterator[None]:
    """Around a whole command: output that can't be written ends it with one sentence and exit code 1.

    Raises:
        SystemExit: It could not be written.
    """
    before = sys.stdout
    if not isinstance(before, io.TextIOWrapper):
        yield
        return
    sys.stdout = output = _Output(
        before.buffer, encoding=before.encoding, errors=before.errors, line_buffering=before.line_buffering
    )
    try:
        try:
            yield
        finally:
            output.flush()
    except (OSError, SystemExit):
        # Click and rich make a silent SystemExit of it.
        if output.failure is None:
            raise
        _forget_the_rest(output)
        reason = output.failure
        closed = reason.errno == errno.EPIPE
        _tell("nobody reads it any more" if closed else str(reason.strerror).lower())
        raise SystemExit(1) from None
    finally:
        sys.stdout = before
        with suppress(OSError, ValueError):
            output.detach()  # else it would close what lies below with itself


def _forget_the_rest(stream: TextIO) -> None:
    """Python would try to write it once more at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _tell(why: str) -> None:
    with suppress(OSError, ValueError):
        print(f"error: the output could not be written: {why}", file=sys.stderr, flush=True)
