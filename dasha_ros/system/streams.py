"""Makes standard output and error accept every character, and reports it in one sentence if they fail."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


def take_every_character() -> None:
    """Write characters that the terminal's encoding lacks as escapes, instead of failing.

    A stream that was closed before the start is opened on /dev/null, so that no other file gets its number.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):  # tests may replace it by something else
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
    """Run a whole command; if its output can't be written, end it with one sentence and exit code 1.

    Raises:
        SystemExit: The output could not be written.
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
        # Click and rich turn the OSError into a silent SystemExit.
        if output.failure is None:
            raise
        _discard_buffer(output)
        reason = output.failure
        closed = reason.errno == errno.EPIPE
        _report("the reader has closed it" if closed else str(reason.strerror).lower())
        raise SystemExit(1) from None
    finally:
        sys.stdout = before
        with suppress(OSError, ValueError):
            output.detach()  # otherwise it would close the real stream with itself


def _discard_buffer(stream: TextIO) -> None:
    """Send the buffered rest to /dev/null: Python would try to write it again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _report(why: str) -> None:
    with suppress(OSError, ValueError):
        print(f"error: the output could not be written: {why}", file=sys.stderr, flush=True)
