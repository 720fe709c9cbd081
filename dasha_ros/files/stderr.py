"""Catches what a C library prints on standard error, so that a message can name the file."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_STDERR = 2


@contextmanager
def captured_lines(is_ours: Callable[[str], bool]) -> Iterator[list[str]]:
    """Catch lines while the block runs; the list is filled when the block ends.

    Standard error belongs to the whole process, so other lines are printed afterwards.

    Args:
        is_ours: Says which lines to keep.
    """
    kept: list[str] = []
    with _lock, tempfile.TemporaryFile() as sink:
        try:
            real = os.dup(_STDERR)
        except OSError:  # standard error is closed, so nothing is printed there either
            yield kept
            return
        try:
            os.dup2(sink.fileno(), _STDERR)
            try:
                yield kept
            finally:
                os.dup2(real, _STDERR)
                sink.seek(0)
                for line in sink.read().splitlines(keepends=True):
                    text = line.decode("utf-8", "replace").strip()
                    if is_ours(text):
                        kept.append(text)
                    else:
                        os.write(real, line)
        finally:
            os.close(real)
